// The flow diagram of the chosen galaxy: reservoirs as boxes, flows as arrows as wide as the square root of their rate.
"use strict";

const PLACES = {
  igm: [80, 190], cgm: [350, 190], ism: [620, 190], stars: [870, 190], turbulence: [350, 50], radiated: [620, 50],
  supernovae: [620, 330], nucleosynthesis: [870, 330], black_hole: [870, 50], active_nucleus: [80, 50], swallowed: [80, 330],
};
const SHORT = { igm: "IGM", cgm: "CGM", ism: "ISM" };

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
    const rate = (f) => 10 ** values[((c * count + f) * halos + halo) * times + time];
    const shown = flows.map((flow, f) => ({ ...flow, route: flow.routes[currency], rate: rate(f) })).filter(({ route, rate }) => route && Number.isFinite(rate) && rate > 0);
    const largest = Math.max(...shown.map((flow) => flow.rate), 1e-300);
    const boxes = [...new Set(flows.flatMap((flow) => flow.routes[currency] ?? []))];
    const unknown = boxes.filter((box) => !(box in PLACES));
    const at = (box) => PLACES[box] ?? [120 + 180 * unknown.indexOf(box), 430];
    const unit = currency === "energy" ? "erg/s" : "Msun/yr";
    const routes = new Map();
    const parts = shown.map((flow) => {
      const key = flow.route.join(">"), place = routes.get(key) ?? 0;
      routes.set(key, place + 1);
      return arrow(at(flow.route[0]), at(flow.route[1]), place, 2 + 16 * Math.sqrt(flow.rate / largest), `${flow.name.replaceAll("_", " ")} ${inWords(flow.rate)}`);
    });
    const inside = new Set(this.description.reservoirs);
    const rows = boxes.map((box) => at(box)[1]), top = Math.min(...rows) - 60, height = Math.max(...rows) + 60 - top;
    this.holder.innerHTML = `<svg viewBox="0 ${top} 950 ${height}" role="img" aria-label="Flows of ${currency} [${unit}]: ${shown.map((flow) => `${flow.name} ${inWords(flow.rate)}`).join(", ")}">
      ${parts.join("")}${boxes.map((box) => boxed(at(box), SHORT[box] ?? box.replaceAll("_", " "), inside.has(box))).join("")}</svg>`;
  }
}

function boxed([x, y], name, inside) {
  return `<rect x="${x - 52}" y="${y - 18}" width="104" height="36" rx="7" fill="var(--panel)" stroke="var(--ink)" ${inside ? "" : 'stroke-dasharray="5 4"'}/>
    <text x="${x}" y="${y + 5}" text-anchor="middle">${name}</text>`;
}

/** A curved arrow, to the left of its direction, so that flows there and back do not cross; `place` counts those side by side. */
function arrow([x1, y1], [x2, y2], place, width, label) {
  const dx = x2 - x1, dy = y2 - y1, length = Math.hypot(dx, dy) || 1;
  const nx = dy / length, ny = -dx / length, side = 9 + 16 * place, bow = 26 + 46 * place;
  const inset = Math.min(0.42, (Math.abs(dx) > Math.abs(dy) ? 55 : 20) / length);
  const [ax, ay] = [x1 + dx * inset + nx * side, y1 + dy * inset + ny * side];
  const [bx, by] = [x2 - dx * inset + nx * side, y2 - dy * inset + ny * side];
  const [mx, my] = [(ax + bx) / 2 + nx * bow, (ay + by) / 2 + ny * bow];
  const head = Math.max(7, width * 0.9), el = Math.hypot(bx - mx, by - my) || 1;
  const [ux, uy] = [(bx - mx) / el, (by - my) / el], [sx, sy] = [bx - ux * head, by - uy * head];
  const steep = Math.abs(dy) > Math.abs(dx);
  const [tx, ty] = [(ax + bx) / 2 + nx * (bow / 2 + width / 2 + (steep ? 8 : 12)), (ay + by) / 2 + ny * (bow / 2 + width / 2 + 12) + 4];
  return `<path d="M${ax},${ay} Q${mx},${my} ${sx},${sy}" fill="none" stroke="var(--model)" stroke-opacity="0.75" stroke-width="${width}"/>
    <path d="M${bx},${by} L${sx - uy * head * 0.6},${sy + ux * head * 0.6} L${sx + uy * head * 0.6},${sy - ux * head * 0.6} Z" fill="var(--model)"/>
    <text x="${tx}" y="${ty}" text-anchor="${steep ? (nx > 0 ? "start" : "end") : "middle"}">${label}</text>`;
}

/** Draws the flows of the chosen galaxy, or of that in the heaviest halo, at the redshift of the slider. */
function drawDiagram() {
  const { picture, chosen } = explorer;
  const { halos, redshifts } = picture.description;
  const halo = chosen ?? heaviest(halos);
  const time = Number(element("when").value);
  element("when-value").textContent = ` z = ${inWords(redshifts[time])}`;
  const unit = element("currency").value === "energy" ? "erg/s" : "Msun/yr";
  element("diagram-hint").textContent = `${haloInWords(picture.description, halo)}, rates in ${unit}`;
  explorer.diagram.draw(picture, halo, time, element("currency").value);
}

const heaviest = (halos) => halos.indexOf(Math.max(...halos));
