// Between exact solutions along a slider, for a page without a server.
"use strict";

/**
 * Weights of the changes at the nodes `at`, and of the slope at `start` where nothing changes, in the change at `u`: a
 * cubic in each interval that has the exact slope at `start`, and at every node that of the parabola through it and its
 * neighbours.
 */
function weightsAlong(at, start, u) {
  const count = at.length, near = 1e-9 * (Math.max(...at) - Math.min(...at));
  const blank = () => new Float64Array(count + 1);
  const unit = (i) => { const weights = blank(); weights[i] = 1; return weights; };
  const points = at.map((x, i) => ({ x, value: unit(i) })).filter(({ x }) => Math.abs(x - start) > near);
  points.push({ x: start, value: blank(), slope: unit(count) });
  points.sort((a, b) => a.x - b.x);
  points.forEach((point, j) => { point.slope ??= parabolaSlope(points.slice(Math.max(0, Math.min(j - 1, points.length - 3))).slice(0, 3), point.x); });
  const k = Math.max(0, Math.min(points.length - 2, points.findIndex(({ x }) => x >= u) - 1));
  const [low, high] = [points[k], points[k + 1]], h = high.x - low.x, t = (u - low.x) / h;
  const cubic = [(1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2 * h, t * t * (3 - 2 * t), t * t * (t - 1) * h];
  return blank().map((_, i) => cubic[0] * low.value[i] + cubic[1] * low.slope[i] + cubic[2] * high.value[i] + cubic[3] * high.slope[i]);
}

/** Weights of the values at three points in the slope at `x` of the parabola through them. */
function parabolaSlope([a, b, c], x) {
  const of = (p, q, r) => (2 * x - q.x - r.x) / ((p.x - q.x) * (p.x - r.x));
  const [wa, wb, wc] = [of(a, b, c), of(b, a, c), of(c, a, b)];
  return a.value.map((_, i) => wa * a.value[i] + wb * b.value[i] + wc * c.value[i]);
}
