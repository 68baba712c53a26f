/** Levels, gain, noise and colour that a DNG states of its mosaic. */
import { UserError } from "./errors.js";
import { COMPLETE } from "./tiff.js";

const D65 = 21;

/** BlackLevel by position in the 2 x 2 cell; it repeats from the origin of the active area. */
export function blackCells(tiff, page) {
  const levels = tiff.numbers(page, 50714);
  if (!levels.length) return [0, 0, 0, 0];
  let [rows, cols] = tiff.numbers(page, 50713).length ? tiff.numbers(page, 50713) : [1, 1];
  if (levels.length === 1) [rows, cols] = [1, 1];
  if (rows * cols !== levels.length) {
    throw new UserError(`${levels.length} black levels were given for ${rows} x ${cols}. ${COMPLETE}`);
  }
  // Deltas of rows and columns are corrections of a fraction of a DN; their mean is kept.
  const extra = [50715, 50716]
    .map((code) => tiff.numbers(page, code))
    .reduce((sum, deltas) => sum + (deltas.length ? mean(deltas) : 0), 0);
  return [0, 1, 2, 3].map((cell) => {
    const found = [];
    // Twice the pattern has even sides, so that every sample of one parity can be averaged.
    for (let row = cell >> 1; row < 2 * rows; row += 2) {
      for (let col = cell & 1; col < 2 * cols; col += 2) found.push(levels[(row % rows) * cols + (col % cols)]);
    }
    return mean(found) + extra;
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function iso(tiff) {
  const [at] = tiff.numbers(tiff.first, 34665);
  const exif = at === undefined ? new Map() : tiff.ifd(at);
  const found = [...tiff.numbers(exif, 34867), ...tiff.numbers(exif, 34855), ...tiff.numbers(tiff.first, 34855)];
  // 65535 is EXIF's "does not fit"; ISOSpeed, which has room, comes first.
  return found.find((value) => value > 0 && Number.isFinite(value)) ?? null;
}

/** NoiseProfile: the pair of green, or the only one; null where it describes no noise. */
export function noise(tiff, page) {
  const values = tiff.numbers(page, 51041);
  const planes = tiff.numbers(page, 50710).length ? tiff.numbers(page, 50710) : [0, 1, 2];
  const at = values.length > 2 ? 2 * Math.max(planes.indexOf(1), 0) : 0;
  const [a, b] = values.slice(at, at + 2);
  return a > 0 && b >= 0 && Number.isFinite(a) && Number.isFinite(b) ? { a, b } : null;
}

/** The matrix for D65 where there is one, else the first. */
export function colorMatrix(tiff) {
  const found = [[50721, 50778], [50722, 50779]]
    .map(([code, light]) => ({
      matrix: tiff.numbers(tiff.first, code),
      d65: tiff.numbers(tiff.first, light)[0] === D65,
    }))
    .filter(({ matrix }) => matrix.length === 9 && matrix.every(Number.isFinite));
  return (found.find(({ d65 }) => d65) ?? found[0])?.matrix ?? null;
}

export function neutral(tiff) {
  const values = tiff.numbers(tiff.first, 50728);
  const good = values.length === 3 && values.every((v) => v > 0 && Number.isFinite(v));
  return good ? values : null;
}
