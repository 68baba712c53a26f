/** Timing the model's own call: warm-up, then a number of rounds or a number of seconds. */
import { Cancelled } from "./errors.js";
import { MirroredMosaic } from "./mosaic.js";

/**
 * @param model loaded just before and not called yet: its first call is stated by itself.
 * @param {object} how
 * @param {[number, number]} how.tile rows and columns that the frame is mirrored or cut to.
 * @param {number} how.rounds at least so many samples.
 * @param {number} how.seconds go on for so long; 0 for rounds alone.
 * @param {number} how.warmup calls that are not kept, the first one among them.
 */
export async function bench(model, manifest, frame, scalars, how) {
  const { tile: [height, width], rounds, seconds, warmup, progress, stopped } = how;
  const mosaic = new MirroredMosaic(frame, manifest.sensor, manifest.stride, [height, width]);
  const raw = new Float32Array(height * width);
  const span = (size) => ({ start: 0, stop: size });
  mosaic.read({ rows: span(height), cols: span(width) }, raw);
  const call = async () => {
    const begin = performance.now();
    await model.run(raw, height, width, scalars);
    return performance.now() - begin;
  };
  const firstMs = await call();
  for (let done = 1; done < warmup; done += 1) {
    if (await stopped()) throw new Cancelled();
    await call();
  }
  const [samples, started, begin] = [[], [], performance.now()];
  const elapsed = () => (performance.now() - begin) / 1000;
  while (samples.length < rounds || elapsed() < seconds) {
    if (await stopped()) throw new Cancelled();
    started.push(elapsed());
    samples.push(await call());
    progress(Math.min(samples.length / rounds, seconds ? elapsed() / seconds : 1), 1);
  }
  return { width, height, firstMs, samples, started, warmup };
}
