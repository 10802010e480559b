// Below each relation: by how many errors its data lie above or below the model.
"use strict";

const LARGEST_TICKS = [2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** (data - model) / error of each point that galaxies reach, in the errors that chi^2 counts with. */
class Residuals {
  /** `above`: the chart of the relation, whose x axis this one shares. */
  constructor(holder, panel, above) {
    this.panel = panel;
    this.tick = LARGEST_TICKS[0];
    this.points = [];
    const [first] = panel.members, series = [{}];
    panel.members.forEach((_, k) => series.push(dots("pinned", 6, { hollow: true }), dots("data", 6, { hollow: isHollow(k) })));
    const { x } = above.plot.scales;
    this.chart = new Chart(holder, {
      series, labels: [first.xlabel, "residual [σ]"], behind: (pen) => this.bands(pen), marks: (pen) => this.tails(pen),
      ranges: { x: (_, low, high) => [x.min ?? low, x.max ?? high], y: () => [-1.5 * this.tick, 1.5 * this.tick] },
      splits: () => [-this.tick, 0, this.tick],
    }, { height: 122 });
    this.chart.spots = () => this.points.filter(({ y }) => Number.isFinite(y));
  }

  /** One and two errors to both sides, and the model itself at zero. */
  bands(pen) {
    const { min, max } = this.chart.plot.scales.x;
    for (const size of [2, 1]) pen.area([[min, -size], [max, -size], [max, size], [min, size]], "faint", 0.1);
    pen.line([[min, 0], [max, 0]], "model", 2);
  }

  /** A line downwards from each upper limit, as in the relation. */
  tails(pen) {
    for (const { x, y, limit } of this.points) {
      if (limit && Number.isFinite(y)) pen.line([[x, y], [x, y - 0.4 * this.tick]], "data");
    }
  }

  /** `mean`: the model at the data now; `pinned`: what was pinned, or null. */
  draw(picture, mean, pinned) {
    const { reached, sigma, error } = picture.exact;
    const now = { mean, reached: reached.values, sigma: sigma.values };
    const of = ({ y, first }, from) => y.map((at, i) => (from?.reached[first + i] ? (at - from.mean[first + i]) / from.sigma[first + i] : NaN));
    const tables = this.panel.members.flatMap((member) => [[member.x, of(member, pinned)], [member.x, of(member, now)]]);
    const largest = Math.max(...tables.flatMap(([, ys]) => ys.filter(Number.isFinite).map(Math.abs)), 0);
    this.tick = LARGEST_TICKS.find((tick) => 1.4 * tick >= largest) ?? largest;
    this.points = this.panel.members.flatMap((member, k) => member.x.map((x, i) => {
      const at = member.first + i, y = tables[2 * k + 1][1][i];
      const what = member.limit[i] ? "upper limit, which chi² leaves out," : "data";
      return {
        x, y, limit: member.limit[i],
        text: () => `${this.panel.members.length > 1 ? `${member.name}, ` : ""}${signed(y)} errors: ${what} ${signed(member.y[i], 2)}, model ${signed(mean[at], 2)}, error ${now.sigma[at].toFixed(2)} (data ${member.error[i].toFixed(2)}, sample of halos ${error.values[at].toFixed(2)})`,
      };
    }));
    this.chart.draw(tables);
  }
}

const signed = (value, digits = 1) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
