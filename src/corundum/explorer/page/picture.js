// The picture at any values: the last exact solution, moved along the slopes that are known.
"use strict";

const add = (result, change, weight) => { for (let i = 0; i < result.length; i++) result[i] += weight * change[i]; };

class Picture {
  /** `description` says which parameters, data and halos there are. */
  constructor(description) {
    this.description = description;
    this.byName = new Map(description.parameters.map((parameter) => [parameter.name, parameter]));
    this.slopes = new Map(); // of each parameter: arrays by name
    this.nodes = new Map(); // exact changes along the slider of each parameter, where a page holds them
    this.base = null; // values of the exact solution
    this.exact = null; // its arrays
  }

  settle(values, message) {
    this.base = { ...values };
    this.exact = message.arrays;
  }

  learn(message) {
    message.names.forEach((name, row) => {
      const arrays = {};
      for (const [key, { shape, values }] of Object.entries(message.arrays)) {
        const size = shape.slice(1).reduce((product, n) => product * n, 1);
        arrays[key] = values.subarray(row * size, (row + 1) * size);
      }
      this.slopes.set(name, arrays);
    });
  }

  /** Exact changes at some places of one slider, from a page without a server. */
  learnAlong({ name, at, arrays }) {
    this.nodes.set(name, { at, arrays });
  }

  /** Whether `values` are those of the exact solution. */
  isExact(values) {
    return this.base !== null && this.isSame(values, this.base);
  }

  isSame(values, others) {
    return Object.keys({ ...values, ...others }).every((name) => this.at(values, name) === this.at(others, name));
  }

  at(values, name) {
    return values[name] ?? this.byName.get(name).value;
  }

  /** One array of the picture at `values`: exact, or x + J dtheta. */
  array(name, values) {
    const { shape, values: exact } = this.exact[name];
    const moved = [...this.byName.keys()].filter((key) => this.at(values, key) !== this.at(this.base, key) && this.slopes.has(key));
    if (!moved.length || !(name in this.slopes.get(moved[0]))) return { shape, values: exact };
    const result = Float32Array.from(exact);
    for (const key of moved) {
      const parameter = this.byName.get(key), u = coordinate(parameter, this.at(values, key));
      const start = coordinate(parameter, this.at(this.base, key)), nodes = this.nodes.get(key), slope = this.slopes.get(key)[name];
      if (nodes && name in nodes.arrays) {
        const weights = weightsAlong(nodes.at, start, u), { values: changes } = nodes.arrays[name];
        nodes.at.forEach((_, node) => { if (weights[node]) add(result, changes.subarray(node * result.length, (node + 1) * result.length), weights[node]); });
        if (weights[nodes.at.length]) add(result, slope, weights[nodes.at.length]);
      } else add(result, slope, u - start);
    }
    return { shape, values: result };
  }

  /** The entries of the prediction that galaxies reach; the others mean nothing. */
  reached(entries) {
    const { values } = this.exact.reached;
    return (entries ?? [...values.keys()]).filter((i) => values[i]);
  }

  /** chi^2 of a measurement with the prediction `mean`, weighed as at the exact solution, and of how many points. */
  misfit(mean, { first, y }) {
    const { shape: [total], values: weight } = this.exact.weight;
    let chi2 = 0, used = 0;
    for (let i = 0; i < y.length; i++) {
      const row = (first + i) * total + first, residual = y[i] - mean[first + i];
      if (!weight[row + i]) continue; // no point that galaxies reach, or a limit
      used += 1;
      for (let j = 0; j < y.length; j++) if (weight[row + j]) chi2 += weight[row + j] * residual * (y[j] - mean[first + j]);
    }
    return [chi2, used];
  }

  /** How much each parameter moves some entries of an array over its range [dex, rms]; null where it is not known yet. */
  response(key, name, entries) {
    const slope = this.slopes.get(key)?.[name];
    if (!slope) return null;
    const parameter = this.byName.get(key);
    const span = Math.abs(coordinate(parameter, parameter.high) - coordinate(parameter, parameter.low));
    let sum = 0, count = 0;
    for (const i of entries ?? slope.keys()) {
      if (Number.isFinite(slope[i])) { sum += (slope[i] * span) ** 2; count += 1; }
    }
    return count ? Math.sqrt(sum / count) : 0;
  }

  /** The sign of the mean response; empty where entries respond in both directions. */
  sign(key, name, entries) {
    const slope = this.slopes.get(key)[name];
    const known = entries.map((i) => slope[i]).filter(Number.isFinite);
    const sum = known.reduce((total, value) => total + value, 0), size = known.reduce((total, value) => total + Math.abs(value), 0);
    return Math.abs(sum) < 0.5 * size ? "±" : sum > 0 ? "+" : "−";
  }

  /** The parameters that move some entries most when they are raised over their ranges, in words. */
  drivers(name, entries, unit = "dex") {
    const known = [...this.byName.keys()].map((key) => [key, this.response(key, name, entries)]).filter(([, r]) => r !== null && r > 0);
    known.sort((a, b) => b[1] - a[1]);
    if (!known.length) return "";
    return "moved most by " + known.slice(0, 3).map(([key, r]) => `${key} (${this.sign(key, name, entries)}${r.toFixed(unit ? 1 : 2)}${unit && ` ${unit}`})`).join(", ");
  }
}
