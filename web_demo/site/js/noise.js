/** Gain, noise and the member that serves it, as fa_mobile/sensor.py and selection.py have them. */
import { UserError } from "./errors.js";

const f32 = Math.fround;

/** (a, b) at a gain: variance a x + b of the 0..1 signal. */
export function noiseAt(sensor, gain) {
  const [a1, a0] = sensor.a_linear;
  const [b2, b1, b0] = sensor.b_quadratic;
  return { a: a1 * gain + a0, b: (b2 * gain + b1) * gain + b0 };
}

/** The gain at which the sensor's shot noise is `a`. */
export function gainOf(sensor, a) {
  const [a1, a0] = sensor.a_linear;
  return (a - a0) / a1;
}

/** a(gain) in the float32 steps of the exported graph; the selection depends on them. */
export function aFloat32(sensor, gain) {
  const [a1, a0] = sensor.a_linear.map(f32);
  return f32(f32(a1 * f32(gain)) + a0);
}

/**
 * Index of the member for shot noise `a`: the number of edges that it is not below. For display
 * only: the artifact selects by itself.
 */
export function select(a, edges) {
  return edges.filter((edge) => f32(a) >= f32(edge)).length;
}

/** @returns {string} a warning for a gain beyond the profile, else "". */
export function checkGain(gain, sensor) {
  if (!(Number.isFinite(gain) && gain > 0)) {
    throw new UserError(
      `The gain ${gain} was given; allowed are numbers above 0, 1 being the base gain ` +
        `(ISO ${sensor.base_iso}). Type the gain that the capture was taken at.`,
    );
  }
  const [low, high] = sensor.gain_range;
  if (low <= gain && gain <= high) return "";
  return `Gain ${gain} is beyond the sensor profile's ${low} to ${high}; the nearest model serves it.`;
}

/**
 * What a capture is denoised with.
 *
 * @param manifest of the bundle.
 * @param frame see dng.js; its ISO, or its noise, stands in where no gain is given.
 * @param {number | null} gain as typed, null where the field is empty.
 * @returns {{gain: number | null, a: number, b: number, member: number, scalars: number[],
 *   warning: string}}
 */
export function conditions(manifest, frame, gain) {
  const { sensor, edges, selector } = manifest;
  const typed = gain ?? (frame.iso === null ? null : frame.iso / sensor.base_iso);
  if (selector === "noise-profile" && gain === null && frame.noise !== null) {
    const { a, b } = frame.noise;
    return { gain: null, a, b, member: select(a, edges), scalars: [a, b], warning: "" };
  }
  if (typed === null) {
    throw new UserError(
      "No gain was given and the file states no ISO; allowed are numbers above 0, 1 being the " +
        `base gain (ISO ${sensor.base_iso}). Type the gain: the ISO of the capture over ` +
        `${sensor.base_iso}.`,
    );
  }
  const warning = checkGain(typed, sensor);
  const { a, b } = noiseAt(sensor, typed);
  const member = select(selector === "gain" ? aFloat32(sensor, typed) : a, edges);
  return { gain: typed, a, b, member, scalars: selector === "gain" ? [typed] : [a, b], warning };
}
