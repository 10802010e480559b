// What the charts show: relations beside their data, growth, and where the baryons of each halo are.
"use strict";

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

const haloInWords = (description, halo) => `halo of 10^${description.halos[halo].toFixed(2)} Msun today`;

/** Signs and their meaning below a heading. */
function keyed(holder, entries) {
  holder.replaceChildren(...entries.map(([name, text, kind = "dot"]) => {
    const entry = document.createElement("span"), sign = document.createElement("i");
    entry.className = "key";
    sign.className = kind;
    sign.dataset.name = name;
    sign.style.setProperty("--sign", `var(--${name})`);
    entry.append(sign, text);
    return entry;
  }));
}

/** Every second measurement of a chart has hollow points, so that they can be told apart. */
const isHollow = (k) => k % 2 === 1;

/** The chart of one relation: galaxies, the mean of the model at the data, the data, and what was pinned. */
class RelationChart {
  constructor(parent, panel, onGalaxy) {
    this.panel = panel;
    this.bands = null;
    this.figure = document.createElement("figure");
    this.figure.innerHTML = '<figcaption><h2></h2><span class="hint"></span></figcaption><div class="plot"></div><div class="plot residuals"></div><p class="drivers"></p>';
    this.figure.querySelector("h2").textContent = panel.key;
    parent.append(this.figure);
    const [first] = panel.members;
    const series = [{}, dots("galaxy", 5), dots("chosen", 9)];
    panel.members.forEach((_, k) => series.push(line("model"), dots("data", 6, { hollow: isHollow(k) }), line("pinned", { dash: [6, 5] })));
    this.chart = new Chart(this.figure.querySelector(".plot"), {
      series, labels: [null, first.ylabel], marks: (pen) => this.errors(pen), behind: (pen) => this.band(pen),
    }, { height: 214 });
    this.residuals = new Residuals(this.figure.querySelector(".residuals"), panel, this.chart);
    this.chart.plot.over.addEventListener("click", (event) => {
      const spot = this.chart.nearest(event);
      if (spot?.galaxy !== undefined) onGalaxy(spot.galaxy);
    });
    this.figure.setAttribute("aria-label", `${panel.key}: ${panel.members.map((m) => m.citation).join("; ")}`);
  }

  /** Error bars of the data, and lines downwards from upper limits. */
  errors(pen) {
    for (const { x, y, error, limit } of this.panel.members) {
      x.forEach((at, i) => {
        const [low, high] = limit[i] ? [y[i] - 0.25, y[i]] : [y[i] - error[i], y[i] + error[i]];
        pen.line([[at, low], [at, high]], "data");
      });
    }
  }

  /** The 68% interval of the posterior where galaxies reach. */
  band(pen) {
    if (!this.bands) return;
    for (const { x, first } of this.panel.members) {
      const good = [...x.keys()].filter((i) => Number.isFinite(this.bands[0][first + i])).sort((a, b) => x[a] - x[b]);
      if (!good.length) continue;
      pen.area([...good.map((i) => [x[i], this.bands[0][first + i]]), ...good.reverse().map((i) => [x[i], this.bands[2][first + i]])], "posterior");
    }
  }

  draw(picture, values, pinned, chosen) {
    const [first] = this.panel.members;
    const { description } = picture, halos = description.halos.length;
    const of = (name) => picture.array(name, values).values.subarray(first.index * halos, (first.index + 1) * halos);
    const mean = picture.array("mean", values).values, reached = picture.exact.reached.values;
    const points = { x: of("x"), y: of("y") };
    const tables = [[points.x, points.y], chosen === null ? [[], []] : [[points.x[chosen]], [points.y[chosen]]]];
    const lines = this.panel.members.map(({ x, first: start }) => x.map((_, i) => (reached[start + i] ? mean[start + i] : NaN)));
    this.panel.members.forEach(({ x, y, first: start }, k) => {
      tables.push([x, lines[k]], [x, y]);
      tables.push([x, x.map((_, i) => (pinned?.reached[start + i] ? pinned.mean[start + i] : NaN))]);
    });
    this.chart.spots = () => [
      ...this.panel.members.flatMap(({ x, first: start, ylabel }, k) => x.map((at, i) => ({
        x: at, y: lines[k][i], text: () => `mean ${ylabel} ${lines[k][i].toFixed(2)}; ${picture.drivers("mean", [start + i])}`,
      }))),
      ...[...points.x.keys()].map((i) => ({
        x: points.x[i], y: points.y[i], galaxy: i,
        text: () => `${haloInWords(description, i)}: ${points.y[i].toFixed(2)}; ${picture.drivers("y", [first.index * halos + i])}`,
      })),
    ].filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
    this.chart.draw(tables);
    this.residuals.draw(picture, mean, pinned);
    const isExact = picture.isExact(values);
    const inPoints = ([chi2, used]) => {
      if (!used) return "no point reached";
      return Number.isFinite(chi2) ? `${inWords(chi2)} of ${used} points` : `not known: galaxies have left some of its ${used} points`;
    };
    const several = this.panel.members.length > 1;
    const misfit = this.panel.members.map(({ index, name }, k) => `${several ? `${isHollow(k) ? "○" : "●"} ${name}: ` : ""}${isExact ? "" : "≈ "}${inPoints(picture.misfit(mean, this.panel.members[k]))}${pinned ? ` (pinned: ${inPoints(pinned.misfit[index])})` : ""}`);
    const only = first.galaxies ? "" : "; a sum over galaxies, each with its weight, so that single ones are not shown";
    this.figure.querySelector(".hint").textContent = `chi² ${misfit.join(", ")}${this.bands ? "; band: 68% of the posterior" : ""}${only}`;
    this.figure.querySelector(".drivers").textContent = picture.drivers("mean", picture.reached(this.entries()));
  }

  /** The relation and its residuals as the inside of one SVG picture. */
  svg() {
    const above = this.chart.svg(), below = this.residuals.chart.svg();
    return { width: above.width, height: above.height + below.height, content: `${above.content}<g transform="translate(0 ${above.height})">${below.content}</g>` };
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
    this.shown = [...new Set([0, 1, 2, 3, 4, 5].map((k) => order[Math.round((k * (count - 1)) / 5)]))];
    this.chart = new Chart(figure.querySelector(".plot"), {
      series: [{}, ...this.shown.map(() => line("galaxy")), line("chosen", { width: 3 }), line("pinned", { dash: [6, 5] })],
      labels: ["cosmic age [Gyr]", "log10"],
    });
  }

  draw(picture, values, pinned, chosen, quantity) {
    const { ages, histories } = this.description;
    const row = histories.findIndex(({ name }) => name === quantity);
    const { shape: [, halos, times], values: all } = picture.array("histories", values);
    const of = (array, halo) => array.subarray((row * halos + halo) * times, (row * halos + halo + 1) * times);
    this.chart.plot.axes[1].label = `log ${histories[row].meaning} [${histories[row].unit}]`;
    const gap = ages.map(() => NaN);
    const tables = this.shown.map((halo) => [ages, of(all, halo)]);
    tables.push([ages, chosen === null ? gap : of(all, chosen)]);
    tables.push([ages, pinned && chosen !== null ? of(pinned.histories, chosen) : gap]);
    this.chart.spots = () => [...this.shown, ...(chosen === null ? [] : [chosen])].flatMap((halo) => [...of(all, halo)].map((y, k) => ({
      x: ages[k], y,
      text: () => `${haloInWords(this.description, halo)}, at ${inWords(ages[k])} Gyr: ${y.toFixed(2)}; ${picture.drivers("histories", [(row * halos + halo) * times + k])}`,
    }))).filter(({ y }) => Number.isFinite(y));
    this.chart.draw(tables);
    const halo = chosen ?? this.shown[this.shown.length - 1];
    const entries = ages.map((_, k) => (row * halos + halo) * times + k);
    this.figure.querySelector(".drivers").textContent = picture.drivers("histories", entries);
  }
}

const LOOKS = [["chosen", {}], ["model", { hollow: true }], ["galaxy", {}]];

/** Shares of the baryons of each halo today, against its mass. */
class ShareChart {
  /** `parts`: the names of what is shown, and what the key calls them. */
  constructor(figure, description, parts) {
    this.figure = figure;
    this.description = description;
    this.parts = parts;
    this.chart = new Chart(figure.querySelector(".plot"), {
      series: [{}, ...parts.map((_, i) => dots(LOOKS[i][0], 5, LOOKS[i][1]))], labels: ["log halo mass today [Msun]", "share"],
    });
    keyed(figure.querySelector(".hint"), parts.map(([, text], i) => [LOOKS[i][0], text, LOOKS[i][1].hollow ? "ring" : "dot"]));
  }

  /** `shares(name, halo)`, and `driven(name, halo)`: what moves it, in words. */
  draw(shares, driven) {
    const { halos } = this.description;
    const columns = this.parts.map(([name]) => halos.map((_, halo) => shares(name, halo)));
    this.chart.spots = () => this.parts.flatMap(([name, text], k) => halos.map((x, halo) => ({
      x, y: columns[k][halo], text: () => `${text} ${columns[k][halo].toFixed(3)} in the ${haloInWords(this.description, halo)}; ${driven(name, halo)}`,
    }))).filter(({ y }) => Number.isFinite(y));
    this.chart.draw(columns.map((column) => [halos, column]));
  }
}

/** What became of the baryons of each halo: stars, interstellar and circumgalactic gas. */
class BudgetChart {
  constructor(figure, description) {
    const names = { mstar: "stars", mism: "ISM", mcgm: "CGM" };
    this.description = description;
    this.shares = new ShareChart(figure, description, Object.entries(names).filter(([name]) => description.histories.some((entry) => entry.name === name)));
  }

  draw(picture, values) {
    const { histories, baryon_fraction: fraction } = this.description;
    const { shape: [, count, times], values: all } = picture.array("histories", values);
    const last = (name, halo) => (histories.findIndex((entry) => entry.name === name) * count + halo + 1) * times - 1;
    this.shares.draw((name, halo) => 10 ** (all[last(name, halo)] - all[last("mvir", halo)]) / fraction, (name, halo) => picture.drivers("histories", [last(name, halo)]));
  }
}

/** Prevention and ejection indices of each halo, which arrive after the picture and follow it in the same way. */
class IndexChart {
  constructor(figure, description) {
    this.figure = figure;
    this.description = description;
    this.shares = new ShareChart(figure, description, [["prevention", "kept out of the galaxy"], ["ejection", "thrown out of it"], ["retained", "in the galaxy"]]);
  }

  draw(accounts, values) {
    const count = this.description.halos.length, row = (name) => this.description.indices.indexOf(name) * count;
    const all = accounts.array("indices", values).values;
    this.shares.draw((name, halo) => all[row(name) + halo], (name, halo) => accounts.drivers("indices", [row(name) + halo], ""));
    const entries = [...Array(count).keys()].map((i) => row("prevention") + i).filter((i) => Number.isFinite(all[i]));
    this.figure.querySelector(".drivers").textContent = accounts.drivers("indices", entries, "").replace("moved", "prevention moved");
  }
}
