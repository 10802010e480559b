// Charts: relations beside their data, growth, and the baryons of each halo, drawn with uPlot.
"use strict";

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Points and lines with x of their own as one uPlot table. */
function joined(tables) {
  return uPlot.join(tables.map(([x, ...ys]) => {
    const order = [...x.keys()].filter((i) => Number.isFinite(x[i])).sort((a, b) => x[a] - x[b]);
    return [order.map((i) => x[i]), ...ys.map((y) => order.map((i) => (Number.isFinite(y[i]) ? y[i] : null)))];
  }));
}

function axes(xlabel, ylabel) {
  const style = { stroke: () => color("ink"), grid: { stroke: () => color("line"), width: 1 }, ticks: { stroke: () => color("line") } };
  const font = "13px system-ui, sans-serif";
  return [
    { ...style, label: xlabel, font, labelFont: font, size: 34, labelSize: 22 },
    { ...style, label: ylabel, font, labelFont: font, size: 48, labelSize: 22 },
  ];
}

/** A chart in a figure that follows its width. */
class Chart {
  constructor(figure, options, { height = 270 } = {}) {
    this.holder = figure.querySelector(".plot");
    const size = () => ({ width: Math.max(240, this.holder.clientWidth), height });
    this.plot = new uPlot({ ...size(), legend: { show: false }, ...options }, null, this.holder);
    new ResizeObserver(() => this.plot.setSize(size())).observe(this.holder);
  }

  draw(tables) {
    this.plot.setData(joined(tables));
  }
}

const line = (name, more = {}) => ({ stroke: () => color(name), width: 2, spanGaps: true, points: { show: false }, ...more });
const dots = (name, size, more = {}) => ({
  stroke: () => color(name), paths: () => null,
  points: { show: true, size, stroke: () => color(name), fill: () => color(name) }, ...more,
});

/** Error bars of the data, and arrows of upper limits. */
function errorBars(measurements) {
  return (plot) => {
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = color("data");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    for (const { x, y, error, limit } of measurements) {
      x.forEach((at, i) => {
        const px = plot.valToPos(at, "x", true);
        const [low, high] = limit[i] ? [y[i] - 0.25, y[i]] : [y[i] - error[i], y[i] + error[i]];
        ctx.moveTo(px, plot.valToPos(low, "y", true));
        ctx.lineTo(px, plot.valToPos(high, "y", true));
      });
    }
    ctx.stroke();
    ctx.restore();
  };
}

/** Measurements of one relation at one redshift share a chart. */
function panelsOf(measurements) {
  const panels = new Map();
  let first = 0;
  measurements.forEach((measurement, index) => {
    const key = `${measurement.title} at z = ${inWords(measurement.redshift)}`;
    if (!panels.has(key)) panels.set(key, { key, members: [] });
    panels.get(key).members.push({ ...measurement, index, first });
    first += measurement.x.length;
  });
  return [...panels.values()];
}

/** The chart of one relation: galaxies, the mean of the model at the data, the data, and what was pinned. */
class RelationChart {
  constructor(parent, panel, onGalaxy) {
    this.panel = panel;
    this.figure = document.createElement("figure");
    this.figure.innerHTML = '<figcaption><h2></h2><span class="hint"></span></figcaption><div class="plot"></div><p class="drivers"></p>';
    this.figure.querySelector("h2").textContent = panel.key;
    parent.append(this.figure);
    const [first] = panel.members;
    const series = [{}, dots("galaxy", 5), dots("chosen", 9)];
    for (const _ of panel.members) series.push(line("model"), dots("data", 6), line("pinned", { dash: [6, 5] }));
    this.chart = new Chart(this.figure, {
      series, axes: axes(first.xlabel, first.ylabel), scales: { x: { time: false } },
      cursor: { drag: { setScale: false } }, hooks: { drawSeries: [], draw: [errorBars(panel.members)] },
    });
    this.points = null;
    this.chart.plot.over.addEventListener("click", (event) => onGalaxy(this.nearest(event)));
    this.figure.setAttribute("aria-label", `${panel.key}: ${panel.members.map((m) => m.citation).join("; ")}`);
  }

  nearest(event) {
    const { plot } = this.chart;
    const box = plot.over.getBoundingClientRect();
    let best = null, least = 900; // 30 pixels
    this.points?.x.forEach((x, i) => {
      const dx = plot.valToPos(x, "x") - (event.clientX - box.left), dy = plot.valToPos(this.points.y[i], "y") - (event.clientY - box.top);
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = i; }
    });
    return best;
  }

  draw(picture, values, pinned, chosen) {
    const [first] = this.panel.members;
    const halos = picture.description.halos.length;
    const of = (name) => picture.array(name, values).values.subarray(first.index * halos, (first.index + 1) * halos);
    const mean = picture.array("mean", values).values, reached = picture.exact.reached.values;
    this.points = { x: of("x"), y: of("y") };
    const tables = [[this.points.x, this.points.y], chosen === null ? [[], []] : [[this.points.x[chosen]], [this.points.y[chosen]]]];
    for (const { x, y, first: start } of this.panel.members) {
      tables.push([x, x.map((_, i) => (reached[start + i] ? mean[start + i] : NaN))], [x, y]);
      tables.push([x, x.map((_, i) => (pinned?.reached[start + i] ? pinned.mean[start + i] : NaN))]);
    }
    this.chart.draw(tables);
    const misfit = this.panel.members.map(({ index }) => picture.misfit[index]).map(([chi2, used]) => (used ? `${inWords(chi2)} of ${used} points` : "no point reached"));
    this.figure.querySelector(".hint").textContent = `chi² ${misfit.join(", ")}`;
    this.figure.querySelector(".drivers").textContent = picture.drivers("mean", picture.reached(this.entries()));
  }

  entries() {
    return this.panel.members.flatMap(({ first, x }) => x.map((_, i) => first + i));
  }
}

/** The growth of some galaxies, the chosen one thick. */
class HistoryChart {
  constructor(figure, description) {
    this.figure = figure;
    this.description = description;
    const count = description.halos.length;
    const order = [...description.halos.keys()].sort((a, b) => description.halos[a] - description.halos[b]);
    this.shown = [0, 1, 2, 3, 4, 5].map((k) => order[Math.round((k * (count - 1)) / 5)]);
    this.chart = null;
  }

  draw(picture, values, pinned, chosen, quantity) {
    const { ages, histories } = this.description;
    const row = histories.findIndex(({ name }) => name === quantity);
    const { shape: [, halos, times], values: all } = picture.array("histories", values);
    const of = (array, halo) => array.subarray((row * halos + halo) * times, (row * halos + halo + 1) * times);
    if (!this.chart) {
      const series = [{}, ...this.shown.map(() => line("galaxy")), line("chosen", { width: 3 }), line("pinned", { dash: [6, 5] })];
      const axis = axes("cosmic age [Gyr]", "log10");
      this.chart = new Chart(this.figure, { series, axes: axis, scales: { x: { time: false } }, cursor: { drag: { setScale: false } } });
    }
    this.chart.plot.axes[1].label = `log ${quantity} [${histories[row].unit}]`;
    const gap = ages.map(() => NaN);
    const tables = this.shown.map((halo) => [ages, of(all, halo)]);
    tables.push([ages, chosen === null ? gap : of(all, chosen)]);
    tables.push([ages, pinned && chosen !== null ? of(pinned.histories, chosen) : gap]);
    this.chart.draw(tables);
    const halo = chosen ?? this.shown[5];
    const entries = ages.map((_, k) => (row * halos + halo) * times + k);
    this.figure.querySelector(".drivers").textContent = picture.drivers("histories", entries);
  }
}

/** What became of the baryons of each halo: stars, interstellar and circumgalactic gas. */
class BudgetChart {
  constructor(figure, description) {
    this.figure = figure;
    this.description = description;
    this.parts = ["mstar", "mism", "mcgm"].filter((name) => description.histories.some((entry) => entry.name === name));
    const names = { mstar: "stars", mism: "ISM", mcgm: "CGM" }, colors = ["chosen", "model", "galaxy"];
    this.chart = new Chart(figure, {
      series: [{}, ...this.parts.map((_, i) => dots(colors[i], 5))], axes: axes("log halo mass today [Msun]", "share"), scales: { x: { time: false } },
      cursor: { drag: { setScale: false } },
    });
    figure.querySelector(".hint").textContent = "shares of the cosmic fraction: " + this.parts.map((name, i) => `${names[name]} ${["orange", "blue", "light blue"][i]}`).join(", ");
  }

  draw(picture, values) {
    const { halos, histories, baryon_fraction: fraction } = this.description;
    const { shape: [, count, times], values: all } = picture.array("histories", values);
    const last = (name, halo) => all[(histories.findIndex((entry) => entry.name === name) * count + halo + 1) * times - 1];
    const shares = (name) => halos.map((_, halo) => 10 ** (last(name, halo) - last("mvir", halo)) / fraction);
    this.chart.draw(this.parts.map((name) => [halos, shares(name)]));
  }
}
