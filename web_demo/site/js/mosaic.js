/** Reading tiles of a mirrored mosaic and keeping what they decide, without a padded copy. */
import { mirroredIndices, phasePads } from "./bayer.js";
import { fromSensor, roundDn, toSensorTables } from "./levels.js";

export class MirroredMosaic {
  /**
   * @param frame see dng.js.
   * @param sensor of the manifest: its levels are the model's.
   * @param {number} multiple the padded sides are multiples of it.
   * @param {[number, number]} minimum rows and columns that they are at least.
   */
  constructor(frame, sensor, multiple, minimum) {
    this.frame = frame;
    const sides = [frame.height, frame.width];
    const pads = phasePads(sides, frame.cfa, multiple, minimum);
    [this.rows, this.cols] = sides.map((side, axis) => mirroredIndices(side, pads[axis]));
    [this.top, this.left] = [pads[0][0], pads[1][0]];
    this.height = this.rows.length;
    this.width = this.cols.length;
    this.tables = toSensorTables(frame, sensor);
    this.back = fromSensor(frame, sensor);
  }

  /** Copy a tile into `into` (Float32Array, row by row), in DN of the sensor. */
  read({ rows, cols }, into) {
    const { mosaic, width } = this.frame;
    let at = 0;
    for (let row = rows.start; row < rows.stop; row += 1) {
      const y = this.rows[row];
      const even = this.tables[2 * (y & 1)];
      const odd = this.tables[2 * (y & 1) + 1];
      for (let col = cols.start; col < cols.stop; col += 1) {
        const x = this.cols[col];
        into[at] = (x & 1 ? odd : even)[mosaic[y * width + x]];
        at += 1;
      }
    }
  }

  /**
   * Put what a tile decides into `out` (Uint16Array: rounded and clipped to 0..white, Float32Array:
   * as it is), in DN of the frame.
   */
  keep({ rows, cols }, result, out) {
    const { height, width, whiteLevel } = this.frame;
    const whole = out instanceof Uint16Array;
    const tileWidth = cols.stop - cols.start;
    const top = Math.max(rows.keepStart - this.top, 0);
    const bottom = Math.min(rows.keepStop - this.top, height);
    const left = Math.max(cols.keepStart - this.left, 0);
    const right = Math.min(cols.keepStop - this.left, width);
    for (let y = top; y < bottom; y += 1) {
      const line = (y + this.top - rows.start) * tileWidth + this.left - cols.start;
      for (let x = left; x < right; x += 1) {
        const dn = this.back(result[line + x], 2 * (y & 1) + (x & 1));
        out[y * width + x] = whole ? roundDn(dn, whiteLevel) : dn;
      }
    }
  }
}
