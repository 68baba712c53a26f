/** The benchmark and the self-test, and what the page says of them. */
import { describeDevice } from "./device.js";
import { $, short } from "./dom.js";
import { conditions, gainOf } from "./noise.js";
import { makeReport } from "./report.js";
import { chosenTile, typedGain, typedRounds } from "./settings.js";
import { progress, state } from "./state.js";
import { median, p90 } from "./statistics.js";

/** Calls that are not kept. */
const WARMUP = 2;

/** Time the model and keep the report. */
export async function runBench() {
  const { opened, frame, site } = state;
  const rounds = typedRounds();
  const seconds = Number($("seconds").value);
  const how = conditions(opened.manifest, frame, typedGain());
  const input = { frame, scalars: how.scalars, tile: chosenTile(), rounds, seconds, warmup: WARMUP };
  const measured = await state.engine.run("bench", input, progress);
  const settings = { threads: opened.threads, gain: how.gain ?? gainOf(opened.manifest.sensor, how.a), rounds, seconds };
  const device = await describeDevice(opened.runtime, site.version);
  const bundle = { sumsHash: opened.sumsHash, bundleBytes: site.bundle_bytes };
  state.report = makeReport(opened.manifest, bundle, measured, settings, device);
  const middle = median(measured.samples);
  const megapixels = (measured.width * measured.height) / 1e6;
  $("bench-result").textContent =
    `${measured.samples.length} runs on ${short(megapixels)} MP, ${opened.threads} thread(s): median ` +
    `${short(middle)} ms, p90 ${short(p90(measured.samples))} ms, ${short(middle / megapixels)} ms/MP.`;
  return "Benchmark done.";
}

/** Replay the golden vectors. */
export async function selfTest() {
  const found = await state.engine.run("selfTest", {}, progress);
  $("bench-result").textContent =
    `Self-test passed: ${found.vectors} golden vectors, off by at most ${found.maxAbsDn.toPrecision(2)} DN; ` +
    `${found.selections} selections as the bundle lists them.`;
  return "Self-test passed.";
}
