/** TIFF at the level of tags. Files are untrusted: whatever is wrong ends in a UserError. */
import { UserError } from "./errors.js";

export const COMPLETE = "Copy the file again from its source.";

/** Bytes of one value by TIFF type; 13 is a pointer to an IFD. */
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 };
const MOST_VALUES = 1 << 20;

export class Tiff {
  /**
   * @param {ArrayBuffer} buffer the whole file.
   * @throws {UserError} when it is no TIFF.
   */
  constructor(buffer) {
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    const order = buffer.byteLength >= 8 ? this.view.getUint16(0) : 0;
    this.little = order === 0x4949;
    const magic = order === 0x4949 || order === 0x4d4d ? this.view.getUint16(2, this.little) : 0;
    if (magic === 43) {
      throw new UserError("A BigTIFF was given; allowed are DNG files below 4 GB. Save it as DNG 1.4.");
    }
    if (magic !== 42) {
      throw new UserError(
        "The file is not a DNG: it does not begin as a TIFF does. Allowed are uncompressed DNG " +
          "files of a 2 x 2 Bayer sensor. Convert the RAW file to DNG, or choose another one.",
      );
    }
    this.first = this.ifd(this.view.getUint32(4, this.little));
  }

  /** The tags of the IFD at an offset: a Map of tag code to {type, count, at}. */
  ifd(offset) {
    this.require(offset, 2, "a list of tags");
    const count = this.view.getUint16(offset, this.little);
    this.require(offset + 2, 12 * count, "a list of tags");
    const tags = new Map();
    for (let entry = offset + 2; entry < offset + 2 + 12 * count; entry += 12) {
      const [code, type] = [0, 2].map((by) => this.view.getUint16(entry + by, this.little));
      const values = this.view.getUint32(entry + 4, this.little);
      const size = (SIZES[type] ?? 0) * values;
      const at = size > 4 ? this.view.getUint32(entry + 8, this.little) : entry + 8;
      if (size && !tags.has(code)) tags.set(code, { type, count: values, at });
    }
    return tags;
  }

  /** The numbers of a tag, rationals divided; empty where the tag is missing. */
  numbers(tags, code) {
    const tag = tags.get(code);
    if (!tag) return [];
    if (tag.count > MOST_VALUES) {
      throw new UserError(`Tag ${code} has ${tag.count} values, which no DNG has. ${COMPLETE}`);
    }
    this.require(tag.at, tag.count * SIZES[tag.type], `tag ${code}`);
    return Array.from({ length: tag.count }, (_, i) => this.number(tag.type, tag.at + i * SIZES[tag.type]));
  }

  number(type, at) {
    const { view, little } = this;
    switch (type) {
      case 3: return view.getUint16(at, little);
      case 4: case 13: return view.getUint32(at, little);
      case 5: return view.getUint32(at, little) / view.getUint32(at + 4, little);
      case 6: return view.getInt8(at);
      case 8: return view.getInt16(at, little);
      case 9: return view.getInt32(at, little);
      case 10: return view.getInt32(at, little) / view.getInt32(at + 4, little);
      case 11: return view.getFloat32(at, little);
      case 12: return view.getFloat64(at, little);
      default: return view.getUint8(at);
    }
  }

  /** An ASCII tag: printable, nothing around it. */
  text(tags, code) {
    if (tags.get(code)?.type !== 2) return "";
    const codes = this.numbers(tags, code);
    const end = codes.indexOf(0);
    const kept = end < 0 ? codes : codes.slice(0, end);
    return kept.map((c) => (c >= 32 && c < 127 ? String.fromCharCode(c) : "?")).join("").trim();
  }

  /** Refuse to read beyond the end. */
  require(at, size, what) {
    if (at + size > this.bytes.length) {
      throw new UserError(
        `The file is cut off or damaged: ${what} would end at byte ${at + size}, the file has ` +
          `${this.bytes.length}. ${COMPLETE}`,
      );
    }
  }
}
