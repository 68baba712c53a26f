/** Colour filter array geometry, as fa_mobile/bayer.py has it. */
import { UserError } from "./errors.js";

/** Row and column of red in the 2 x 2 cell of each Bayer pattern. */
const RED_AT = { RGGB: [0, 0], GRBG: [0, 1], GBRG: [1, 0], BGGR: [1, 1] };

export const CFA_PATTERNS = Object.keys(RED_AT);

/** @returns {[number, number]} row and column (0 or 1) of the red sample. */
export function redOffset(cfa) {
  if (!Object.hasOwn(RED_AT, cfa)) {
    throw new UserError(
      `The colour filter array ${cfa} was given; allowed are ${CFA_PATTERNS.join(", ")}. ` +
        "Convert (remosaic) the capture to a 2 x 2 Bayer pattern first.",
    );
  }
  return RED_AT[cfa];
}

/**
 * R, Gr, Gb, B order to the cell order (row by row) of a mosaic of pattern `cfa`, and back: it is
 * its own inverse, because red is at most one step away.
 */
export function cellOrder(levels, cfa) {
  const [top, left] = redOffset(cfa);
  return [0, 1, 2, 3].map((at) => levels[2 * (((at >> 1) + top) % 2) + (((at & 1) + left) % 2)]);
}

/**
 * Samples to mirror [before, after] each axis so that red comes to the origin and both sides are
 * multiples of `multiple` and at least `minimum`.
 */
export function phasePads(shape, cfa, multiple, minimum) {
  const before = redOffset(cfa);
  return [0, 1].map((axis) => {
    const least = Math.max(before[axis] + shape[axis], minimum[axis]);
    const total = Math.ceil(least / multiple) * multiple;
    return [before[axis], total - before[axis] - shape[axis]];
  });
}

/**
 * Where each sample of a padded axis is read: mirrored without repeating the edge, which keeps
 * every sample on its own colour. A pad longer than the axis reflects back and forth.
 */
export function mirroredIndices(side, [before, after]) {
  const period = 2 * (side - 1);
  return Int32Array.from({ length: before + side + after }, (_, at) => {
    const phase = (((at - before) % period) + period) % period;
    return phase < side ? phase : period - phase;
  });
}
