/** Denoising a frame of any size, pattern and levels, tile by tile. */
import { Cancelled } from "./errors.js";
import { MirroredMosaic } from "./mosaic.js";
import { planFrame } from "./tiling.js";

/**
 * @param model with run(raw, height, width, scalars).
 * @param {import("./dng.js").Frame} frame
 * @param {number[]} scalars gain, or a and b.
 * @param {object} how
 * @param {[number, number]} how.tile rows and columns, at most the manifest's.
 * @param {Uint16Array | Float32Array} how.out receives the result in DN of the frame; integers are
 *   rounded and clipped.
 * @param {(done: number, all: number) => void} how.progress
 * @param {() => Promise<boolean>} how.stopped asked between tiles.
 * @returns {Promise<number>} how many tiles it took.
 */
export async function denoise(model, manifest, frame, scalars, { tile, out, progress, stopped }) {
  const { min_side: least, fixed_shape: fixed, sensor, halo, stride } = manifest;
  const mosaic = new MirroredMosaic(frame, sensor, stride, fixed ? manifest.tile : [least, least]);
  const tiles = planFrame(mosaic.height, mosaic.width, fixed ? manifest.tile : tile, halo, stride);
  for (const [index, part] of tiles.entries()) {
    const height = part.rows.stop - part.rows.start;
    const width = part.cols.stop - part.cols.start;
    const raw = new Float32Array(height * width);
    mosaic.read(part, raw);
    mosaic.keep(part, await model.run(raw, height, width, scalars), out);
    progress(index + 1, tiles.length);
    if (await stopped()) throw new Cancelled();
  }
  return tiles.length;
}

/** Tile sizes to choose from: the bundle's, and smaller ones that need less memory. */
export function tileSizes({ tile, halo, stride, fixed_shape: fixed }) {
  if (fixed) return [tile];
  const smaller = [768, 512, 256].filter(
    (side) => side % stride === 0 && side > 4 * halo && side < Math.min(...tile),
  );
  return [tile, ...smaller.map((side) => [side, side])];
}
