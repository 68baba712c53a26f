/**
 * The minimal camera pipeline of fa_mobile/isp.py for looking at a mosaic: white balance, bilinear
 * demosaicing, colour matrix, gamma 2.2 and a smooth tone curve.
 */
import { cellOrder } from "./bayer.js";

const SRGB_TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const MIDDLE_GRAY = 0.18;
const TONE_STEPS = 4096;
/** What phones' browsers take as a canvas; larger mosaics are shown at half their size. */
const MOST_PIXELS = 16e6;

/** @returns how a frame is shown: {gains, matrix}; a file without colour gets the sensor's. */
export function colorOf(frame, sensor) {
  const neutral = frame.asShotNeutral ?? sensor.as_shot_neutral;
  const camera = normalizedRows(multiply(rows(frame.colorMatrix ?? sensor.color_matrix), SRGB_TO_XYZ));
  return { gains: neutral.map((value) => neutral[1] / value), matrix: inverse(camera) };
}

/** Exposure that brings the mean of a mosaic to middle gray, 1 to 16: one for both pictures. */
export function brightnessOf(frame) {
  const black = frame.blackLevel.reduce((sum, level) => sum + level, 0) / 4;
  let sum = 0;
  for (const dn of frame.mosaic) sum += dn;
  const level = (sum / frame.mosaic.length - black) / (frame.whiteLevel - black);
  return Math.min(Math.max(MIDDLE_GRAY / Math.max(level, 1e-4), 1), 16);
}

/**
 * @param {import("./dng.js").Frame} frame
 * @param {{gains: number[], matrix: number[][]}} color see colorOf.
 * @param {number} brightness exposure factor.
 * @returns {{width: number, height: number, pixels: Uint8ClampedArray}} sRGB and alpha.
 */
export function render(frame, color, brightness) {
  const linear = balanced(frame, color.gains, brightness);
  const half = frame.width * frame.height > MOST_PIXELS;
  const step = half ? 2 : 1;
  const width = Math.floor(frame.width / step);
  const height = Math.floor(frame.height / step);
  const pixels = new Uint8ClampedArray(4 * width * height);
  const [m0, m1, m2] = color.matrix;
  const shown = toneTable();
  const rgb = new Float32Array(3);
  const sample = half ? cellColor : bilinear;
  const colors = cellOrder([0, 1, 1, 2], frame.cfa);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) {
      sample(linear, frame.width, frame.height, y * step, x * step, colors, rgb);
      pixels[at] = shown[tone(m0[0] * rgb[0] + m0[1] * rgb[1] + m0[2] * rgb[2])];
      pixels[at + 1] = shown[tone(m1[0] * rgb[0] + m1[1] * rgb[1] + m1[2] * rgb[2])];
      pixels[at + 2] = shown[tone(m2[0] * rgb[0] + m2[1] * rgb[1] + m2[2] * rgb[2])];
      pixels[at + 3] = 255;
    }
  }
  return { width, height, pixels };
}

/** White-balanced and exposed signal, clipped to 0..1. */
function balanced(frame, gains, brightness) {
  const { width, mosaic, whiteLevel } = frame;
  const black = cellOrder(frame.blackLevel, frame.cfa);
  const gain = cellOrder([gains[0], gains[1], gains[1], gains[2]], frame.cfa);
  const scale = gain.map((value, cell) => (value * brightness) / (whiteLevel - black[cell]));
  const out = new Float32Array(mosaic.length);
  for (let at = 0, y = 0; at < mosaic.length; y += 1) {
    for (let x = 0; x < width; x += 1, at += 1) {
      const cell = 2 * (y & 1) + (x & 1);
      out[at] = Math.min(Math.max((mosaic[at] - black[cell]) * scale[cell], 0), 1);
    }
  }
  return out;
}

/** Each colour is the mean of its nearest samples; at the border, of those inside. */
function bilinear(signal, width, height, y, x, colors, rgb) {
  const own = colors[2 * (y & 1) + (x & 1)];
  const row = y * width;
  // Mirrored neighbours have the colour that the missing ones would have.
  const up = (y > 0 ? y - 1 : 1) * width;
  const down = (y + 1 < height ? y + 1 : height - 2) * width;
  const left = x > 0 ? x - 1 : 1;
  const right = x + 1 < width ? x + 1 : width - 2;
  rgb[own] = signal[row + x];
  const across = (signal[row + left] + signal[row + right]) / 2;
  const along = (signal[up + x] + signal[down + x]) / 2;
  if (own === 1) {
    const beside = colors[2 * (y & 1) + ((x + 1) & 1)];
    rgb[beside] = across;
    rgb[2 - beside] = along;
  } else {
    rgb[1] = (across + along) / 2;
    rgb[2 - own] =
      (signal[up + left] + signal[up + right] + signal[down + left] + signal[down + right]) / 4;
  }
}

/** One pixel for each 2 x 2 cell. */
function cellColor(signal, width, _height, y, x, colors, rgb) {
  const at = y * width + x;
  rgb[1] = 0;
  [at, at + 1, at + width, at + width + 1].forEach((from, cell) => {
    if (colors[cell] === 1) rgb[1] += signal[from] / 2;
    else rgb[colors[cell]] = signal[from];
  });
}

const tone = (value) => Math.round(Math.min(Math.max(value, 0), 1) * TONE_STEPS * TONE_ROOM) | 0;
/** Gamma is steep near black: the table is fine enough that its steps stay below one code there. */
const TONE_ROOM = 16;

let table = null;

/** sRGB code by linear light: gamma compression, then 3x^2 - 2x^3. */
function toneTable() {
  table ??= Uint8ClampedArray.from({ length: TONE_STEPS * TONE_ROOM + 1 }, (_, index) => {
    const display = Math.max(index / (TONE_STEPS * TONE_ROOM), 1e-8) ** (1 / 2.2);
    return 255 * display * display * (3 - 2 * display);
  });
  return table;
}

const rows = (flat) => [0, 3, 6].map((at) => flat.slice(at, at + 3));
const multiply = (a, b) => a.map((row) => [0, 1, 2].map((col) => row.reduce((sum, v, i) => sum + v * b[i][col], 0)));
/** Rows that sum to 1: white stays white. */
const normalizedRows = (matrix) => matrix.map((row) => row.map((v) => v / row.reduce((a, b) => a + b)));

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const [A, B, C] = [e * i - f * h, f * g - d * i, d * h - e * g];
  const det = a * A + b * B + c * C;
  return [
    [A, c * h - b * i, b * f - c * e],
    [B, a * i - c * g, c * d - a * f],
    [C, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((v) => v / det));
}
