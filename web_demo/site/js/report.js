/** A benchmark report in the schema of fa_mobile/bench/schema.py. */
import { median, p90 } from "./statistics.js";

const ABSENT = {
  memory: "not available: a browser does not tell a page its memory",
  operators: "not run: the page takes no profile",
  ratio: "not run: the page times one bundle, without a peer",
  traffic: "not run: the page derives no traffic",
  roof: "not available: it needs the traffic",
  arena_bytes: "not available: the runtime does not state it",
  instructions_per_mp: "not available: a browser counts no instructions",
};

/**
 * @param manifest of the bundle.
 * @param {{sumsHash: string, bundleBytes: number}} bundle
 * @param measured what bench.js gives, with loadMs.
 * @param {{threads: number, gain: number, rounds: number, seconds: number}} settings as asked for
 * @param device see device.js.
 */
export function makeReport(manifest, bundle, measured, settings, device) {
  return {
    schema_version: 1,
    device,
    settings: {
      kind: settings.seconds > 0 ? "sustained" : "burst",
      threads: settings.threads,
      rounds: settings.rounds,
      warmup: measured.warmup,
      seconds: settings.seconds,
      gain: settings.gain,
    },
    ceilings: [],
    bandwidth: null,
    entries: [entry(manifest, bundle, measured)],
    missing: {
      ceilings: "not run: the page times no ceiling",
      bandwidth: "not run: the page times no ceiling",
    },
  };
}

function entry(manifest, { sumsHash, bundleBytes }, measured) {
  const { network } = manifest;
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  return {
    bundle: manifest.name,
    sums_sha256: sumsHash,
    target: manifest.target,
    precision: manifest.precision,
    network: network.name,
    weights: "trained",
    width: measured.width,
    height: measured.height,
    tiles: 1,
    counts: {
      nominal_gmacs_per_mp: network.gmacs_per_mp,
      executed_gmacs_per_mp: network.executed_gmacs_per_mp,
      model_bytes: manifest.model_bytes,
      bundle_bytes: bundleBytes,
      arena_bytes: null,
      delegated: sum(manifest.delegated),
      undelegated: sum(manifest.undelegated),
      instructions_per_mp: {},
    },
    timing: timing(measured),
    start: { load_ms: measured.loadMs, first_ms: measured.firstMs },
    memory: null,
    operators: null,
    ratio: null,
    traffic: null,
    roof: null,
    missing: ABSENT,
  };
}

function timing({ samples, started, width, height }) {
  const middle = median(samples);
  return {
    samples_ms: samples,
    calls_per_sample: 1,
    started_s: started,
    min_ms: Math.min(...samples),
    median_ms: middle,
    p90_ms: p90(samples),
    ms_per_mp: middle / ((width * height) / 1e6),
  };
}
