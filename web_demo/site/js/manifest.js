/** `manifest.json` of a bundle: the fields that this page uses, checked. */
import { UserError } from "./errors.js";

const SCHEMA = 2;

/**
 * @param {string} text of manifest.json.
 * @returns the manifest as docs/bundles.md describes it.
 * @throws {UserError} for wrong JSON, an unknown schema version, a bundle that this page cannot
 *   run, or fields that are missing or wrong.
 */
export function parseManifest(text) {
  let manifest;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw new UserError(`manifest.json is not JSON (${error.message}). Export the bundle again.`);
  }
  const version = manifest?.schema_version;
  if (version !== SCHEMA) {
    throw new UserError(
      `manifest.json has schema version ${JSON.stringify(version)}; this page reads ${SCHEMA}. ` +
        "Export the bundle again, or build the page of the fa-mobile that wrote it.",
    );
  }
  if (manifest.target !== "onnx") {
    throw new UserError(
      `The bundle is for ${manifest.target}; this page runs onnx. Build it with an ONNX bundle: ` +
        "fa-mobile export export/imx258.toml --only onnx-fp32.",
    );
  }
  const wrong = Object.entries(FIELDS)
    .filter(([path, allowed]) => !allowed(value(manifest, path)))
    .map(([path]) => path);
  if (wrong.length) {
    throw new UserError(
      `manifest.json has missing or wrong fields: ${wrong.join(", ")}. Export the bundle again.`,
    );
  }
  checkGeometry(manifest);
  return manifest;
}

function checkGeometry({ stride, halo, tile, min_side: minSide }) {
  const fits = tile.every((side) => side % stride === 0 && side > 2 * halo);
  if (!fits || (2 * halo) % stride || minSide > Math.min(...tile)) {
    throw new UserError(
      `manifest.json gives a tile of ${tile.join(" x ")} for a stride of ${stride}, a halo of ` +
        `${halo} and a smallest side of ${minSide}, which do not fit. Export the bundle again.`,
    );
  }
}

const value = (object, path) => path.split(".").reduce((found, key) => found?.[key], object);
const number = (v) => typeof v === "number" && Number.isFinite(v);
const positive = (v) => number(v) && v > 0;
const amount = (v) => number(v) && v >= 0;
const count = (v) => Number.isInteger(v) && v > 0;
const text = (v) => typeof v === "string" && v.length > 0;
const oneOf = (...words) => (v) => words.includes(v);
const list = (check, length) => (v) =>
  Array.isArray(v) && v.every(check) && (length === undefined || v.length === length);
const name = (v) => text(v) && /^[\w-]+(\.[\w-]+)*(\/[\w-]+(\.[\w-]+)*)*$/.test(v);
const rising = (v) => list(number)(v) && v.every((x, i) => i === 0 || x >= v[i - 1]);
const counts = (v) => v !== null && typeof v === "object" && Object.values(v).every(amount);

const FIELDS = {
  name: text,
  precision: oneOf("fp32", "fp16", "int8"),
  selector: oneOf("gain", "noise-profile"),
  files: (v) => list(name)(v) && v.length > 0,
  edges: rising,
  stride: count,
  halo: amount,
  tile: list(count, 2),
  min_side: count,
  fixed_shape: (v) => typeof v === "boolean",
  model_bytes: count,
  golden: list((v) => name(v?.raw) && name(v?.reference) && count(v?.width) && count(v?.height)),
  selection: list(list(number, 2)),
  delegated: counts,
  undelegated: counts,
  "network.name": text,
  "network.members": count,
  "network.gmacs_per_mp": amount,
  "network.executed_gmacs_per_mp": amount,
  "sensor.name": text,
  "sensor.provenance": text,
  "sensor.black_level": list(amount, 4),
  "sensor.white_level": positive,
  "sensor.base_iso": positive,
  "sensor.gain_range": list(positive, 2),
  "sensor.a_linear": list(number, 2),
  "sensor.b_quadratic": list(number, 3),
  "sensor.color_matrix": list(number, 9),
  "sensor.as_shot_neutral": list(positive, 3),
  "tolerance.max_noise_ratio": positive,
};
