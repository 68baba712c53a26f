/** Replaying the bundle's golden vectors and selection table, as `fa-mobile verify` does. */
import { UserError } from "./errors.js";
import { aFloat32, select } from "./noise.js";

/**
 * @returns {Promise<{vectors: number, maxAbsDn: number, maxNoiseRatio: number, selections: number}>}
 * @throws {UserError} naming the first vector or selection that is not as the bundle states.
 */
export async function selfTest(bundle, model, progress) {
  const { manifest } = bundle;
  const selections = checkSelection(manifest);
  const worst = { vectors: manifest.golden.length, maxAbsDn: 0, maxNoiseRatio: 0, selections };
  for (const [index, vector] of manifest.golden.entries()) {
    const found = await replay(bundle, model, vector);
    worst.maxAbsDn = Math.max(worst.maxAbsDn, found.maxAbsDn);
    worst.maxNoiseRatio = Math.max(worst.maxNoiseRatio, found.noiseRatio);
    progress(index + 1, manifest.golden.length);
  }
  return worst;
}

/** Every listed (gain or a, member) pair must come out of this page's selector. */
export function checkSelection({ selector, sensor, edges, selection }) {
  for (const [value, member] of selection) {
    const found = select(selector === "gain" ? aFloat32(sensor, value) : value, edges);
    if (found !== member) {
      throw new UserError(
        `Self-test failed: ${selector} ${value} selects member ${found} here, the bundle says ` +
          `${member}. Build the page and the bundle with the same fa-mobile.`,
      );
    }
  }
  return selection.length;
}

async function replay(bundle, model, vector) {
  const { manifest } = bundle;
  const { width, height } = vector;
  const raw = Float32Array.from(new Uint16Array(await bundle.file(vector.raw)));
  const [reference, truth] = await Promise.all(
    [vector.reference, vector.truth].map(async (name) => new Float32Array(await bundle.file(name))),
  );
  const scalars = manifest.selector === "gain" ? [vector.gain] : [vector.a, vector.b];
  const output = await model.run(raw, height, width, scalars);
  let [maxAbsDn, squares, noise] = [0, 0, 0];
  output.forEach((dn, i) => {
    const off = Math.abs(dn - reference[i]);
    maxAbsDn = off <= maxAbsDn ? maxAbsDn : off; // NaN comes through
    squares += off * off;
    noise += (raw[i] - truth[i]) ** 2;
  });
  const noiseRatio = Math.sqrt(squares / noise);
  const { max_abs_dn: mostDn, max_noise_ratio: mostRatio } = manifest.tolerance;
  if (!(noiseRatio <= mostRatio) || (mostDn !== null && !(maxAbsDn <= mostDn))) {
    throw new UserError(
      `Self-test failed: vector ${vector.name} is off by ${maxAbsDn.toPrecision(3)} DN ` +
        `(${noiseRatio.toPrecision(3)} of its noise); allowed are ${mostDn ?? "any"} DN and ` +
        `${mostRatio}. This browser computes otherwise than the bundle's reference; report it.`,
    );
  }
  return { maxAbsDn, noiseRatio };
}
