/** The worker: everything that takes long, so that the page stays responsive. See engine.js. */
import { bench } from "./bench.js";
import { Bundle } from "./bundle.js";
import { denoise } from "./denoise.js";
import { UserError } from "./errors.js";
import { render } from "./isp.js";
import { loadRuntime, Model } from "./model.js";
import { selfTest } from "./selftest.js";

let bundle = null;
let model = null;
let cancelled = false;

/** The model, unless memory ran out while it was loaded. */
function loaded() {
  if (!model) throw new UserError("The model is not loaded. Load the page again.");
  return model;
}

/** Lets messages in (a cancel among them), then says whether to stop. */
async function stopped() {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return cancelled;
}

const JOBS = {
  /** Fetch and check the bundle, load runtime and model. */
  async open({ bundleBase, runtimeBase, threads }) {
    const begin = performance.now();
    bundle = await Bundle.open(bundleBase);
    const data = await bundle.file(bundle.manifest.files[0]);
    const runtime = await loadRuntime(runtimeBase, threads);
    model = await Model.load(data, bundle.manifest);
    const loadMs = performance.now() - begin;
    return { manifest: bundle.manifest, sumsHash: bundle.sumsHash, runtime, loadMs };
  },

  async denoise({ frame, scalars, tile, float }, progress) {
    const pixels = frame.width * frame.height;
    const out = float ? new Float32Array(pixels) : new Uint16Array(pixels);
    const begin = performance.now();
    const how = { tile, out, progress, stopped };
    const tiles = await denoise(loaded(), bundle.manifest, frame, scalars, how);
    return { out, tiles, ms: performance.now() - begin };
  },

  render({ frame, color, brightness }) {
    return render(frame, color, brightness);
  },

  selfTest(_, progress) {
    return selfTest(bundle, loaded(), progress);
  },

  /** Loads the model anew, so that load and first call are a fresh one's. */
  async bench({ frame, scalars, ...how }, progress) {
    const data = await bundle.file(bundle.manifest.files[0]);
    await loaded().release();
    model = null;
    const begin = performance.now();
    model = await Model.load(data, bundle.manifest);
    const loadMs = performance.now() - begin;
    const found = await bench(model, bundle.manifest, frame, scalars, { ...how, progress, stopped });
    return { ...found, loadMs };
  },
};

addEventListener("message", async ({ data: { id, job, input } }) => {
  if (job === "cancel") {
    cancelled = true;
    return;
  }
  cancelled = false;
  const progress = (done, all) => postMessage({ id, progress: done / all });
  try {
    const result = await JOBS[job](input, progress);
    const buffer = result.out?.buffer ?? result.pixels?.buffer;
    postMessage({ id, result }, buffer ? [buffer] : []);
  } catch (error) {
    postMessage({ id, error: { name: error.name, message: error.message } });
  }
});
