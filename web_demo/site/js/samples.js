/** The samples of an uncompressed mosaic: strips or tiles, 16 bits or fewer. */
import { UserError } from "./errors.js";
import { COMPLETE } from "./tiff.js";

const BITS = [8, 10, 12, 14, 16];

/**
 * @param {import("./tiff.js").Tiff} tiff
 * @param {Map} page its IFD with the mosaic.
 * @returns {Uint16Array} width * height samples, row by row.
 */
export function readSamples(tiff, page, width, height) {
  const [bits = 1] = tiff.numbers(page, 258);
  const [perPixel = 1] = tiff.numbers(page, 277);
  if (!BITS.includes(bits) || perPixel !== 1) {
    throw new UserError(
      `${perPixel} sample(s) of ${bits} bits for each pixel were given; allowed is one of ` +
        `${BITS.join(", ")} bits. Convert the file to an uncompressed DNG.`,
    );
  }
  const { blockWidth, blockHeight, offsets, sizes } = layout(tiff, page, width, height);
  const across = Math.ceil(width / blockWidth);
  const down = Math.ceil(height / blockHeight);
  if (offsets.length < across * down) {
    throw new UserError(
      `${offsets.length} pieces of image data are listed for ${across * down}. ${COMPLETE}`,
    );
  }
  const out = new Uint16Array(width * height);
  const rowBytes = Math.ceil((blockWidth * bits) / 8);
  for (let index = 0; index < across * down; index += 1) {
    const [top, left] = [Math.floor(index / across) * blockHeight, (index % across) * blockWidth];
    const [rows, cols] = [Math.min(blockHeight, height - top), Math.min(blockWidth, width - left)];
    tiff.require(offsets[index], rows * rowBytes, "the image data");
    if (sizes[index] < rows * rowBytes) {
      throw new UserError(
        `The file is cut off or compressed: ${sizes[index]} bytes are listed for a piece of ` +
          `${rows * rowBytes}. ${COMPLETE}`,
      );
    }
    for (let row = 0; row < rows; row += 1) {
      const target = out.subarray((top + row) * width + left, (top + row) * width + left + cols);
      readRow(tiff, offsets[index] + row * rowBytes, bits, target);
    }
  }
  return out;
}

function layout(tiff, page, width, height) {
  if (page.has(322)) {
    const [[blockWidth], [blockHeight]] = [322, 323].map((code) => tiff.numbers(page, code));
    const [offsets, sizes] = [324, 325].map((code) => tiff.numbers(page, code));
    if (!(blockWidth > 0 && blockHeight > 0)) {
      throw new UserError(`Tiles of ${blockWidth} x ${blockHeight} samples were given. ${COMPLETE}`);
    }
    return { blockWidth, blockHeight, offsets, sizes };
  }
  const [rows = height] = tiff.numbers(page, 278);
  const [offsets, sizes] = [273, 279].map((code) => tiff.numbers(page, code));
  return { blockWidth: width, blockHeight: Math.min(Math.max(rows, 1), height), offsets, sizes };
}

/** 8 and 16 bits in the file's byte order; others packed from the highest bit on (DNG 1.4, page 16). */
function readRow(tiff, at, bits, into) {
  if (bits === 8) {
    into.set(tiff.bytes.subarray(at, at + into.length));
  } else if (bits === 16) {
    for (let i = 0; i < into.length; i += 1) into[i] = tiff.view.getUint16(at + 2 * i, tiff.little);
  } else {
    let [held, known, next] = [0, 0, at];
    for (let i = 0; i < into.length; i += 1) {
      while (known < bits) {
        held = ((held << 8) | tiff.bytes[next]) & 0xffffff;
        known += 8;
        next += 1;
      }
      known -= bits;
      into[i] = (held >> known) & ((1 << bits) - 1);
    }
  }
}
