/** Reading uncompressed CFA DNG files: what fa_mobile/dng.py and raw_io.py read, in the browser. */
import { CFA_PATTERNS, cellOrder } from "./bayer.js";
import { blackCells, colorMatrix, iso, neutral, noise } from "./dng_tags.js";
import { UserError } from "./errors.js";
import { readSamples } from "./samples.js";
import { COMPLETE, Tiff } from "./tiff.js";

const CFA = 32803;
const MOST_PIXELS = 200e6;
const COMPRESSIONS = { 7: "lossless JPEG", 8: "Deflate", 34892: "lossy JPEG", 52546: "JPEG XL" };
const PHOTOMETRIC = { 2: "RGB", 34892: "linear (demosaiced)" };

/**
 * One exposure as the sensor reported it.
 *
 * @typedef {object} Frame
 * @property {number} width
 * @property {number} height
 * @property {Uint16Array} mosaic DN, row by row.
 * @property {string} cfa the pattern at the origin.
 * @property {number[]} blackLevel DN in R, Gr, Gb, B order.
 * @property {number} whiteLevel
 * @property {number | null} iso
 * @property {{a: number, b: number} | null} noise of the signal normalised to 0..1.
 * @property {string} make
 * @property {string} model
 * @property {number[] | null} colorMatrix XYZ (D65) to camera RGB, row-major.
 * @property {number[] | null} asShotNeutral camera RGB of a neutral in this light.
 */

/**
 * Read the active area of a DNG. Orientation is not applied.
 *
 * @param {ArrayBuffer} buffer the whole file.
 * @returns {Frame}
 * @throws {UserError} for what is no DNG, cut off, or of a kind that this page does not read.
 */
export function readDng(buffer) {
  const tiff = new Tiff(buffer);
  if (!tiff.first.has(50706)) {
    throw new UserError(
      "The file is a TIFF but not a DNG (it has no DNGVersion). Convert the camera's RAW file to " +
        "an uncompressed DNG.",
    );
  }
  const page = rawPage(tiff);
  refuseOtherKinds(tiff, page);
  const [[fullWidth], [fullHeight]] = [256, 257].map((code) => tiff.numbers(page, code));
  if (!(fullWidth >= 2 && fullHeight >= 2 && fullWidth * fullHeight <= MOST_PIXELS)) {
    throw new UserError(
      `A mosaic of ${fullWidth} x ${fullHeight} was given; allowed are 2 x 2 to ` +
        `${MOST_PIXELS / 1e6} million samples. ${COMPLETE}`,
    );
  }
  const area = activeArea(tiff, page, fullWidth, fullHeight);
  const cfa = pattern(tiff, page);
  const frame = {
    ...crop(readSamples(tiff, page, fullWidth, fullHeight), fullWidth, area),
    cfa,
    blackLevel: cellOrder(blackCells(tiff, page), cfa),
    whiteLevel: tiff.numbers(page, 50717)[0] ?? 2 ** tiff.numbers(page, 258)[0] - 1,
    iso: iso(tiff),
    noise: noise(tiff, page) ?? noise(tiff, tiff.first),
    make: tiff.text(tiff.first, 271),
    model: tiff.text(tiff.first, 272),
    colorMatrix: colorMatrix(tiff),
    asShotNeutral: neutral(tiff),
  };
  if (!frame.blackLevel.every((black) => black >= 0 && black < frame.whiteLevel) || frame.whiteLevel > 65535) {
    throw new UserError(
      `The file gives black levels ${frame.blackLevel.join(", ")} and a white level of ` +
        `${frame.whiteLevel}; allowed is 0 <= black < white <= 65535. ${COMPLETE}`,
    );
  }
  return frame;
}

/** The IFD of the full-size mosaic: the first, or one of its SubIFDs where that is a preview. */
function rawPage(tiff) {
  const pages = [tiff.first, ...tiff.numbers(tiff.first, 330).slice(0, 16).map((at) => tiff.ifd(at))];
  const full = pages.filter((page) => (tiff.numbers(page, 254)[0] ?? 0) === 0);
  const candidates = full.length ? full : pages;
  return candidates.find((page) => tiff.numbers(page, 262)[0] === CFA) ?? candidates[0];
}

function refuseOtherKinds(tiff, page) {
  const [photometric] = tiff.numbers(page, 262);
  if (photometric !== CFA) {
    throw new UserError(
      `A DNG of kind ${PHOTOMETRIC[photometric] ?? photometric} was given, which is no Bayer mosaic. ` +
        "Give the RAW file before demosaicing (not ProRAW, not a linear DNG).",
    );
  }
  const [compression = 1] = tiff.numbers(page, 259);
  if (compression !== 1) {
    throw new UserError(
      `The DNG is compressed (${COMPRESSIONS[compression] ?? compression}), which this page does ` +
        "not read; allowed is uncompressed. Save it uncompressed, for example with Adobe DNG " +
        "Converter, or use fa-mobile denoise, which reads it.",
    );
  }
  if (page.has(50712)) {
    throw new UserError(
      "The DNG has a LinearizationTable, which this page does not read. Use fa-mobile denoise.",
    );
  }
}

function pattern(tiff, page) {
  const dim = tiff.numbers(page, 33421);
  const codes = tiff.numbers(page, 33422);
  if ((dim.length && dim.join() !== "2,2") || codes.length !== 4) {
    const kind = { "4,4": "Quad-Bayer, ", "6,6": "X-Trans, " }[dim.join()] ?? "";
    throw new UserError(
      `A colour filter array of ${dim.join(" x ") || "unknown size"} (${kind}${codes.length} ` +
        `colours) was given; allowed are 2 x 2 Bayer patterns ${CFA_PATTERNS.join(", ")}. ` +
        "Convert (remosaic) the capture first.",
    );
  }
  const found = codes.map((code) => "RGB"[code] ?? "?").join("");
  if (!CFA_PATTERNS.includes(found)) {
    throw new UserError(
      `A mosaic of the colours ${found} was given; allowed are ${CFA_PATTERNS.join(", ")}. ` +
        "Give the RAW file of a Bayer sensor.",
    );
  }
  return found;
}

function activeArea(tiff, page, width, height) {
  const area = tiff.numbers(page, 50829);
  if (area.length !== 4) return [0, 0, height, width];
  const [top, left, bottom, right] = area;
  if (!(top + 2 <= bottom && bottom <= height && left + 2 <= right && right <= width)) {
    throw new UserError(
      `ActiveArea ${area.join(", ")} was given; allowed is an area inside the ${height} x ${width} ` +
        `samples. ${COMPLETE}`,
    );
  }
  return area;
}

function crop(samples, fullWidth, [top, left, bottom, right]) {
  const [width, height] = [right - left, bottom - top];
  if (width === fullWidth) {
    return { width, height, mosaic: samples.subarray(top * width, bottom * width) };
  }
  const mosaic = new Uint16Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const start = (top + row) * fullWidth + left;
    mosaic.set(samples.subarray(start, start + width), row * width);
  }
  return { width, height, mosaic };
}
