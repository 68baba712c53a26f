/** Writing an uncompressed 16-bit CFA DNG 1.4, with the tags that fa_mobile/dng.py writes. */
import { cellOrder } from "./bayer.js";

const [BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, DOUBLE] = [1, 2, 3, 4, 5, 7, 10, 12];
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 12: 8 };
/** Stands in where a frame has no colour matrix: XYZ (D65) to linear sRGB. */
const SRGB = [3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057];
const D65 = 21;

/**
 * @param {import("./dng.js").Frame} frame
 * @returns {ArrayBuffer} the file.
 */
export function writeDng(frame) {
  const exif = frame.iso === null ? [] : exifTags(frame.iso);
  const tags = mainTags(frame, exif.length > 0);
  const samplesAt = 8;
  const ifdAt = samplesAt + frame.mosaic.byteLength + (frame.mosaic.byteLength % 4);
  const exifAt = ifdAt + byteSize(tags);
  tags.find(([code]) => code === 273)[2] = [samplesAt];
  if (exif.length) tags.find(([code]) => code === 34665)[2] = [exifAt];
  const view = new DataView(new ArrayBuffer(exifAt + byteSize(exif)));
  view.setUint32(0, 0x49492a00); // "II", 42, little-endian
  view.setUint32(4, ifdAt, true);
  for (let i = 0; i < frame.mosaic.length; i += 1) view.setUint16(samplesAt + 2 * i, frame.mosaic[i], true);
  putIfd(view, ifdAt, tags);
  if (exif.length) putIfd(view, exifAt, exif);
  return view.buffer;
}

/** [code, type, values] in rising order of the code, as TIFF wants it. */
function mainTags(frame, hasExif) {
  const { width, height, cfa } = frame;
  const black = cellOrder(frame.blackLevel, cfa);
  const camera = `${frame.make} ${frame.model}`.trim() || "unknown camera";
  return [
    [254, LONG, [0]],
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, [16]],
    [259, SHORT, [1]],
    [262, SHORT, [32803]],
    [271, ASCII, ascii(frame.make)],
    [272, ASCII, ascii(frame.model)],
    [273, LONG, [0]], // StripOffsets, filled in later
    [274, SHORT, [1]],
    [277, SHORT, [1]],
    [278, LONG, [height]],
    [279, LONG, [2 * width * height]],
    [305, ASCII, ascii("fa-mobile")],
    [33421, SHORT, [2, 2]],
    [33422, BYTE, cellOrder([0, 1, 1, 2], cfa)],
    ...(hasExif ? [[34665, LONG, [0]]] : []),
    [50706, BYTE, [1, 4, 0, 0]],
    [50707, BYTE, [1, 1, 0, 0]],
    [50708, ASCII, ascii(camera)],
    [50710, BYTE, [0, 1, 2]],
    [50711, SHORT, [1]],
    [50713, SHORT, [2, 2]],
    black.every(Number.isInteger) ? [50714, LONG, black] : [50714, RATIONAL, black],
    [50717, LONG, [frame.whiteLevel]],
    [50721, SRATIONAL, frame.colorMatrix ?? SRGB],
    [50728, RATIONAL, frame.asShotNeutral ?? [1, 1, 1]],
    [50778, SHORT, [D65]],
    ...(frame.noise ? [[51041, DOUBLE, [1, 2, 3].flatMap(() => [frame.noise.a, frame.noise.b])]] : []),
  ];
}

function exifTags(iso) {
  const speed = Math.max(1, Math.round(iso));
  return [
    [34855, SHORT, [Math.min(speed, 65535)]],
    [34864, SHORT, [3]], // SensitivityType: ISO speed
    [34867, LONG, [speed]],
    [36864, UNDEFINED, [48, 50, 51, 48]], // ExifVersion 0230
  ];
}

const ascii = (text) => [...text].map((char) => char.charCodeAt(0)).concat(0);

/** Bytes of an IFD with the values that do not fit in it, each on an even place. */
function byteSize(tags) {
  return 6 + 12 * tags.length + tags.reduce((sum, tag) => sum + outside(tag), 0);
}

function outside([, type, values]) {
  const size = SIZES[type] * values.length;
  return size > 4 ? size + (size % 2) : 0;
}

function putIfd(view, at, tags) {
  view.setUint16(at, tags.length, true);
  let free = at + 6 + 12 * tags.length;
  tags.forEach(([code, type, values], index) => {
    const entry = at + 2 + 12 * index;
    view.setUint16(entry, code, true);
    view.setUint16(entry + 2, type, true);
    view.setUint32(entry + 4, values.length, true);
    const apart = outside([code, type, values]);
    if (apart) view.setUint32(entry + 8, free, true);
    const start = apart ? free : entry + 8;
    values.forEach((value, i) => putValue(view, start + i * SIZES[type], type, value));
    free += apart;
  });
}

function putValue(view, at, type, value) {
  switch (type) {
    case SHORT: return view.setUint16(at, value, true);
    case LONG: return view.setUint32(at, value, true);
    case DOUBLE: return view.setFloat64(at, value, true);
    case RATIONAL: case SRATIONAL: {
      const [numerator, denominator] = ratio(value);
      view.setInt32(at, numerator, true);
      return view.setInt32(at + 4, denominator, true);
    }
    default: return view.setUint8(at, value);
  }
}

/**
 * The nearest fraction whose parts fit in 31 bits, by continued fractions: a level or matrix that
 * was a short fraction comes back exactly.
 */
export function ratio(value) {
  const limit = Math.min(1e6, Math.floor((2 ** 31 - 1) / (Math.ceil(Math.abs(value)) + 1)));
  let [previous, current] = [[0, 1], [1, 0]];
  for (let rest = value; ; ) {
    const whole = Math.floor(rest);
    const next = [whole * current[0] + previous[0], whole * current[1] + previous[1]];
    if (next[1] > limit) return current;
    [previous, current] = [current, next];
    if (current[0] / current[1] === value || rest === whole) return current;
    rest = 1 / (rest - whole);
  }
}
