// Numbers: how they are written, how sliders move over them, and how they arrive from the server.
"use strict";

const LARGEST_SLIDER = 1000;

/** A number in few characters. */
function inWords(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
  return Number(value.toPrecision(3)).toString();
}

/** The coordinate in which slopes are given: decades for amplitudes, the number itself otherwise. */
function coordinate(parameter, value) {
  return parameter.log ? Math.log10(value) : value;
}

/** The value of a parameter at a position of its slider, and the position of a value. */
function valueAt(parameter, position) {
  const low = coordinate(parameter, parameter.low), high = coordinate(parameter, parameter.high);
  const u = low + (high - low) * position / LARGEST_SLIDER;
  return Number((parameter.log ? 10 ** u : u).toPrecision(6));
}

function positionOf(parameter, value) {
  const low = coordinate(parameter, parameter.low), high = coordinate(parameter, parameter.high);
  return Math.round(LARGEST_SLIDER * (coordinate(parameter, value) - low) / (high - low));
}

/** The arrays and the other entries of a message of the server. */
function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  for (const [name, { shape, first }] of Object.entries(header.arrays)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const values = header.half ? fromHalves(new Uint16Array(buffer, 4 + length + 2 * first, size)) : new Float32Array(buffer, 4 + length + 4 * first, size);
    header.arrays[name] = { shape, values };
  }
  return header;
}

/** Numbers in half precision as those of single precision. */
function fromHalves(bits) {
  fromHalves.all ??= Float32Array.from({ length: 65536 }, (_, i) => {
    const sign = i & 0x8000 ? -1 : 1, exponent = (i >> 10) & 31, fraction = i & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
  return Float32Array.from(bits, (entry) => fromHalves.all[entry]);
}
