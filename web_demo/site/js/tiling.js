/**
 * Tiles with a halo, as fa_mobile/runtimes/tiling.py plans them: tiles at the frame's border end at
 * the border, and inside a sample is kept only where it is at least the halo away from its tile's
 * inner edges, so that the tiled result equals the whole one.
 */

/**
 * Cover 0..length: each span reads [start, stop) and keeps [keepStart, keepStop).
 *
 * @param {number} length a multiple of `stride`.
 * @param {number} tile a multiple of `stride`, more than twice `halo`.
 * @param {number} halo samples around each one that its result depends on; twice it is a multiple
 *   of `stride`, so that tiles start on multiples of it.
 */
export function planAxis(length, tile, halo, stride) {
  if (!(length > 0) || length % stride || tile % stride || (2 * halo) % stride) {
    throw new RangeError(
      `length=${length}, tile=${tile}, halo=${halo} were given; length, tile and twice the halo ` +
        `must be multiples of the stride ${stride}`,
    );
  }
  if (length <= tile) return [{ start: 0, stop: length, keepStart: 0, keepStop: length }];
  const step = tile - 2 * halo;
  if (step <= 0) {
    throw new RangeError(`tile=${tile} was given; it must be more than twice the halo of ${halo}`);
  }
  const starts = [];
  for (let start = 0; start < length - tile; start += step) starts.push(start);
  starts.push(length - tile);
  return starts.map((start, index) => ({
    start,
    stop: start + tile,
    keepStart: index === 0 ? 0 : start + halo,
    keepStop: index + 1 === starts.length ? length : starts[index + 1] + halo,
  }));
}

/** Tiles {rows, cols} in row-major order; `tile` is [rows, columns]. */
export function planFrame(height, width, tile, halo, stride) {
  const cols = planAxis(width, tile[1], halo, stride);
  return planAxis(height, tile[0], halo, stride).flatMap((row) =>
    cols.map((col) => ({ rows: row, cols: col })),
  );
}
