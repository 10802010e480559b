// One chart, drawn with uPlot: points and lines, what stands at the pointer, and the same as SVG.
"use strict";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Points and lines with x of their own as one uPlot table. */
function joined(tables) {
  return uPlot.join(tables.map(([x, ...ys]) => {
    const order = [...x.keys()].filter((i) => Number.isFinite(x[i])).sort((a, b) => x[a] - x[b]);
    return [order.map((i) => x[i]), ...ys.map((y) => order.map((i) => (Number.isFinite(y[i]) ? y[i] : null)))];
  }));
}

/** Two axes; one of x without a label has no numbers either, because the chart below has them. */
function axes(xlabel, ylabel, splits = null) {
  const style = { stroke: () => color("ink"), grid: { stroke: () => color("line"), width: 1 }, ticks: { stroke: () => color("line") } };
  const font = "13px system-ui, sans-serif";
  const x = xlabel === null ? { size: 8, values: (_, at) => at.map(() => "") } : { label: xlabel, font, labelFont: font, size: 34, labelSize: 22 };
  return [{ ...style, ...x }, { ...style, label: ylabel, font, labelFont: font, size: 48, labelSize: 22, ...(splits && { splits }) }];
}

const line = (name, more = {}) => ({ stroke: () => color(name), width: 2, spanGaps: true, points: { show: false }, look: { line: name }, ...more });
/** Points, filled or `hollow`. */
const dots = (name, size, { hollow = false } = {}) => ({
  stroke: () => color(name), paths: () => null, look: { dots: name, hollow },
  points: { show: true, size, width: hollow ? 1.5 : 1, stroke: () => color(name), fill: () => color(hollow ? "paper" : name) },
});

/** A little more than the data, so that no point is cut off at an end. */
const widened = (_, low, high) => (low === null ? [low, high] : [low - 0.02 * (high - low || 1), high + 0.02 * (high - low || 1)]);

/**
 * A chart that follows the width of its holder.  `marks(pen)` draws what is neither a line nor points; `ranges` are those
 * of the axes where data do not set them, and `splits` where the y axis has numbers.
 */
class Chart {
  constructor(holder, { series, labels, marks = null, behind = null, ranges = {}, splits = null }, { height = 270 } = {}) {
    this.holder = holder;
    this.behind = behind;
    this.marks = marks;
    this.spots = () => [];
    const size = () => ({ width: Math.max(240, this.holder.clientWidth), height });
    const drawn = (what) => (plot) => what?.(canvasPen(plot));
    this.plot = new uPlot({
      ...size(), legend: { show: false }, series, axes: axes(...labels, splits), padding: [8, 14, 0, 0],
      scales: { x: { time: false, range: ranges.x ?? widened }, ...(ranges.y && { y: { range: ranges.y } }) },
      cursor: { drag: { setScale: false } }, hooks: { drawAxes: [drawn(behind)], draw: [drawn(marks)] },
    }, null, this.holder);
    new ResizeObserver(() => this.plot.setSize(size())).observe(this.holder);
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.plot.over.append(this.tip);
    this.plot.over.addEventListener("mousemove", (event) => this.hover(event));
    this.plot.over.addEventListener("mouseleave", () => { this.tip.hidden = true; });
  }

  draw(tables) {
    this.plot.setData(joined(tables));
  }

  /** The spot ({x, y, text, galaxy}) nearest to the pointer within 30 pixels; null if there is none. */
  nearest(event) {
    const box = this.plot.over.getBoundingClientRect();
    let best = null, least = 900;
    for (const spot of this.spots()) {
      const dx = this.plot.valToPos(spot.x, "x") - (event.clientX - box.left), dy = this.plot.valToPos(spot.y, "y") - (event.clientY - box.top);
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = spot; }
    }
    return best;
  }

  hover(event) {
    const spot = this.nearest(event);
    this.tip.hidden = !spot;
    if (!spot) return;
    this.tip.textContent = spot.text();
    const { clientWidth: width, clientHeight: height } = this.plot.over;
    const x = this.plot.valToPos(spot.x, "x"), y = this.plot.valToPos(spot.y, "y");
    this.tip.style.left = `${Math.max(0, Math.min(x + 10, width - this.tip.offsetWidth))}px`;
    this.tip.style.top = `${y > height / 2 ? y - this.tip.offsetHeight - 10 : y + 12}px`;
  }

  /** The chart as the inside of an SVG picture of `width` x `height`. */
  svg() {
    const { plot } = this, ratio = devicePixelRatio || 1;
    const box = { left: plot.bbox.left / ratio, top: plot.bbox.top / ratio, width: plot.bbox.width / ratio, height: plot.bbox.height / ratio };
    const parts = [], pen = svgPen(plot, box, parts);
    const [x, y] = plot.axes, ink = color("ink"), faint = color("line");
    const text = (px, py, content, more = "") => `<text x="${px}" y="${py}" fill="${ink}" font-family="system-ui, sans-serif" font-size="13" ${more}>${escaped(content)}</text>`;
    const grid = (x1, y1, x2, y2) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${faint}"/>`;
    (x._splits ?? []).forEach((value, i) => {
      const px = box.left + plot.valToPos(value, "x");
      parts.push(grid(px, box.top, px, box.top + box.height + 8));
      if (x._values[i]) parts.push(text(px, box.top + box.height + 24, x._values[i], 'text-anchor="middle"'));
    });
    (y._splits ?? []).forEach((value, i) => {
      const py = box.top + plot.valToPos(value, "y");
      parts.push(grid(box.left - 8, py, box.left + box.width, py), text(box.left - 12, py + 4, y._values[i] ?? "", 'text-anchor="end"'));
    });
    const middle = box.top + box.height / 2;
    if (x.label) parts.push(text(box.left + box.width / 2, box.top + box.height + 46, x.label, 'text-anchor="middle"'));
    parts.push(text(14, middle, y.label, `text-anchor="middle" transform="rotate(-90 14 ${middle})"`));
    parts.push(`<svg x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}" viewBox="${box.left} ${box.top} ${box.width} ${box.height}">`);
    this.behind?.(pen);
    plot.series.slice(1).forEach(({ look, dash, width, points }, k) => {
      const at = (plot.data[0] ?? []).flatMap((value, i) => (plot.data[k + 1][i] === null || plot.data[k + 1][i] === undefined ? [] : [[value, plot.data[k + 1][i]]]));
      if (look.line) pen.line(at, look.line, width, dash);
      else for (const point of at) pen.dot(point, look.dots, points.size / 2, look.hollow);
    });
    this.marks?.(pen);
    parts.push("</svg>");
    return { width: plot.width, height: plot.height, content: parts.join("\n") };
  }
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** Draws in the units of the axes on the canvas of a plot. */
function canvasPen(plot) {
  const { ctx, bbox } = plot, place = ([x, y]) => [plot.valToPos(x, "x", true), plot.valToPos(y, "y", true)];
  const path = (points, paint) => {
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.beginPath();
    points.map(place).forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    paint();
    ctx.restore();
  };
  return {
    line(points, name, width = 1, dash = []) {
      path(points, () => { ctx.strokeStyle = color(name); ctx.lineWidth = width * devicePixelRatio; ctx.setLineDash(dash); ctx.stroke(); });
    },
    area(points, name, opacity = 0.25) {
      path(points, () => { ctx.fillStyle = color(name); ctx.globalAlpha = opacity; ctx.fill(); });
    },
  };
}

/** The same, and points, as elements of SVG. */
function svgPen(plot, box, parts) {
  const place = ([x, y]) => [(box.left + plot.valToPos(x, "x")).toFixed(1), (box.top + plot.valToPos(y, "y")).toFixed(1)];
  const clipped = ([x, y]) => x >= plot.scales.x.min && x <= plot.scales.x.max && y >= plot.scales.y.min && y <= plot.scales.y.max;
  const path = (points) => points.map((point) => place(point).join(",")).join(" ");
  return {
    line(points, name, width = 1, dash = null) {
      if (points.length > 1) parts.push(`<polyline points="${path(points)}" fill="none" stroke="${color(name)}" stroke-width="${width}" ${dash?.length ? `stroke-dasharray="${dash.join(" ")}"` : ""}/>`);
    },
    area(points, name, opacity = 0.25) {
      parts.push(`<polygon points="${path(points)}" fill="${color(name)}" fill-opacity="${opacity}"/>`);
    },
    dot(point, name, radius, hollow) {
      const [x, y] = place(point);
      if (clipped(point)) parts.push(`<circle cx="${x}" cy="${y}" r="${radius}" stroke="${color(name)}" fill="${color(hollow ? "paper" : name)}"/>`);
    },
  };
}
