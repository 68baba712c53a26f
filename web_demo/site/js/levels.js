/**
 * DN of a frame to DN of the bundle's sensor and back, in the float32 steps of
 * fa_mobile/runtimes/frames.py, so that the model sees the very same input.
 */
import { cellOrder } from "./bayer.js";

const f32 = Math.fround;

/** Whether a frame has the levels of the sensor, and nothing is to be scaled. */
export function sameLevels(frame, sensor) {
  return (
    frame.whiteLevel === sensor.white_level &&
    frame.blackLevel.every((level, index) => level === sensor.black_level[index])
  );
}

/**
 * A table for each position of the 2 x 2 cell: sensor DN by frame DN. A frame holds at most 65536
 * different values, so a table is cheaper than arithmetic on every sample.
 */
export function toSensorTables(frame, sensor) {
  const same = sameLevels(frame, sensor);
  const from = cellOrder(frame.blackLevel, frame.cfa);
  const to = cellOrder(sensor.black_level, frame.cfa);
  return from.map((black, cell) => {
    const span = f32(frame.whiteLevel - black);
    const target = f32(to[cell]);
    const scale = f32(f32(sensor.white_level) - target);
    return Float32Array.from({ length: 65536 }, (_, dn) => {
      if (same) return dn;
      const signal = Math.min(f32(f32(dn - f32(black)) / span), 1);
      return f32(f32(signal * scale) + target);
    });
  });
}

/** A function (DN of the sensor, cell) to DN of the frame, float32, not rounded. */
export function fromSensor(frame, sensor) {
  if (sameLevels(frame, sensor)) return (dn) => dn;
  const black = cellOrder(sensor.black_level, frame.cfa).map(f32);
  const span = black.map((level) => f32(f32(sensor.white_level) - level));
  const target = cellOrder(frame.blackLevel, frame.cfa).map(f32);
  const scale = target.map((level) => f32(f32(frame.whiteLevel) - level));
  return (dn, cell) =>
    f32(f32(f32(f32(dn - black[cell]) / span[cell]) * scale[cell]) + target[cell]);
}

/** Round half to even, as NumPy does, within 0..white. */
export function roundDn(value, white) {
  const clipped = Math.min(Math.max(value, 0), white);
  const low = Math.floor(clipped);
  const rest = clipped - low;
  if (rest === 0.5) return low + (low & 1);
  return rest > 0.5 ? low + 1 : low;
}
