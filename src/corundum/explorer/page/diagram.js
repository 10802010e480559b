// The flow diagram of the chosen galaxy: reservoirs as boxes, flows as arrows as wide as the square root of their rate.
"use strict";

const PLACES = {
  igm: [70, 150], cgm: [270, 150], ism: [470, 150], stars: [670, 150], turbulence: [270, 40], radiated: [470, 40],
  supernovae: [470, 260], nucleosynthesis: [670, 260], black_hole: [670, 40], active_nucleus: [70, 40], swallowed: [850, 40],
};

class Diagram {
  constructor(figure, description) {
    this.holder = figure.querySelector(".plot");
    this.description = description;
    this.currencies = ["mass", "metals", "energy"];
  }

  draw(picture, halo, time, currency) {
    const { flows } = this.description;
    const { shape: [, count, halos, times], values } = picture.exact.flows;
    const c = this.currencies.indexOf(currency);
    const rate = (f) => values[((c * count + f) * halos + halo) * times + time];
    const shown = flows.map((flow, f) => ({ ...flow, route: flow.routes[currency], rate: rate(f) })).filter(({ route, rate }) => route && Number.isFinite(rate) && rate > 0);
    const largest = Math.max(...shown.map((flow) => flow.rate), 1e-300);
    const boxes = [...new Set(flows.flatMap((flow) => flow.routes[currency] ?? []))];
    const unknown = boxes.filter((box) => !(box in PLACES));
    const at = (box) => PLACES[box] ?? [120 + 180 * unknown.indexOf(box), 340];
    const unit = currency === "energy" ? "erg/s" : "Msun/yr";
    const routes = new Map();
    const parts = shown.map((flow) => {
      const key = flow.route.join(">"), place = routes.get(key) ?? 0;
      routes.set(key, place + 1);
      return arrow(at(flow.route[0]), at(flow.route[1]), place, 2 + 16 * Math.sqrt(flow.rate / largest), `${flow.name.replaceAll("_", " ")} ${inWords(flow.rate)}`);
    });
    const inside = new Set(this.description.reservoirs);
    const height = unknown.length ? 400 : 310;
    this.holder.innerHTML = `<svg viewBox="0 0 930 ${height}" role="img" aria-label="Flows of ${currency} [${unit}]: ${shown.map((flow) => `${flow.name} ${inWords(flow.rate)}`).join(", ")}">
      ${parts.join("")}${boxes.map((box) => boxed(at(box), box.replaceAll("_", " "), inside.has(box))).join("")}</svg>`;
  }
}

function boxed([x, y], name, inside) {
  return `<rect x="${x - 52}" y="${y - 18}" width="104" height="36" rx="7" fill="var(--panel)" stroke="var(--ink)" ${inside ? "" : 'stroke-dasharray="5 4"'}/>
    <text x="${x}" y="${y + 5}" text-anchor="middle">${name}</text>`;
}

function arrow([x1, y1], [x2, y2], place, width, label) {
  const dx = x2 - x1, dy = y2 - y1, length = Math.hypot(dx, dy) || 1;
  const nx = -dy / length, ny = dx / length, offset = (place % 2 ? 1 : -1) * Math.ceil(place / 2) * 34 + (dx < 0 || dy < 0 ? 17 : -6);
  const inset = Math.min(0.42, (Math.abs(dx) > Math.abs(dy) ? 56 : 24) / length);
  const [ax, ay] = [x1 + dx * inset + nx * offset * 0.5, y1 + dy * inset + ny * offset * 0.5];
  const [bx, by] = [x2 - dx * inset + nx * offset * 0.5, y2 - dy * inset + ny * offset * 0.5];
  const [mx, my] = [(ax + bx) / 2 + nx * offset, (ay + by) / 2 + ny * offset];
  const head = Math.max(7, width * 0.9), ex = bx - mx, ey = by - my, el = Math.hypot(ex, ey) || 1;
  const [ux, uy] = [ex / el, ey / el], [sx, sy] = [bx - ux * head, by - uy * head];
  return `<path d="M${ax},${ay} Q${mx},${my} ${sx},${sy}" fill="none" stroke="var(--model)" stroke-opacity="0.75" stroke-width="${width}"/>
    <path d="M${bx},${by} L${sx - uy * head * 0.6},${sy + ux * head * 0.6} L${sx + uy * head * 0.6},${sy - ux * head * 0.6} Z" fill="var(--model)"/>
    <text x="${mx + nx * 14}" y="${my + ny * 14 + 4}" text-anchor="middle">${label}</text>`;
}
