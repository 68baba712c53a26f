/** A bundle that is fetched file by file, each compared with SHA256SUMS before it is used. */
import { UserError } from "./errors.js";
import { parseManifest } from "./manifest.js";
import { sha256 } from "./sha256.js";

const SUMS = "SHA256SUMS";

export class Bundle {
  constructor(base, sums, sumsHash) {
    this.base = base;
    this.sums = sums;
    /** SHA-256 of SHA256SUMS, and so of all of the bundle. */
    this.sumsHash = sumsHash;
    this.manifest = null;
  }

  /** @param {string} base address of the bundle's folder, ending in "/". */
  static async open(base) {
    const data = await fetchFile(base, SUMS);
    const lines = new TextDecoder().decode(data).split("\n").filter(Boolean);
    const sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
    const bundle = new Bundle(base, sums, await sha256(data));
    bundle.manifest = parseManifest(new TextDecoder().decode(await bundle.file("manifest.json")));
    return bundle;
  }

  /** @returns {Promise<ArrayBuffer>} a file whose hash is the listed one. */
  async file(name) {
    const wanted = this.sums.get(name);
    if (wanted === undefined) {
      throw new UserError(`The bundle is damaged: ${SUMS} does not list ${name}. ${MEND}`);
    }
    const data = await fetchFile(this.base, name);
    const found = await sha256(data);
    if (found !== wanted) {
      throw new UserError(
        `The bundle is damaged: ${name} has the hash ${found.slice(0, 12)}..., ${SUMS} says ` +
          `${wanted.slice(0, 12)}.... ${MEND}`,
      );
    }
    return data;
  }
}

const MEND = "Copy or export the bundle again, then build the page again.";

async function fetchFile(base, name) {
  let response;
  try {
    response = await fetch(new URL(name, base));
  } catch (error) {
    throw new UserError(`${name} could not be fetched (${error.message}). Is the server running?`);
  }
  if (!response.ok) {
    throw new UserError(`The server answered ${response.status} for ${name}. ${MEND}`);
  }
  return response.arrayBuffer();
}
