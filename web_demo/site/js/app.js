/** The page: what was opened, what runs, what is shown. The work itself is in the worker. */
import { tileSizes } from "./denoise.js";
import { readDng } from "./dng.js";
import { writeDng } from "./dng_write.js";
import { $, save, short, showFacts, showOptions } from "./dom.js";
import { Engine, threadChoices } from "./engine.js";
import { UserError } from "./errors.js";
import { brightnessOf, colorOf } from "./isp.js";
import { runBench, selfTest } from "./measuring.js";
import { conditions } from "./noise.js";
import { chosenTile, typedGain } from "./settings.js";
import { job, progress, state } from "./state.js";
import { Viewer } from "./viewer.js";

const MOST_FILE_BYTES = 512 * 2 ** 20;

const viewer = new Viewer($("viewer"));

/** Fetch the bundle, check it and load the model into a new worker. */
async function open(threads) {
  state.engine?.close();
  state.opened = null;
  state.engine = new Engine();
  const address = (folder) => new URL(folder, document.baseURI).href;
  const opened = await state.engine.run("open", {
    bundleBase: address("bundle/"),
    runtimeBase: address("runtime/"),
    threads,
  });
  state.opened = { ...opened, threads };
  const { manifest } = opened;
  const { sensor } = manifest;
  $("bundle").textContent =
    `${manifest.name}: ${manifest.network.members} models for ${sensor.make} ${sensor.model} ` +
    `(${sensor.provenance} noise profile), onnxruntime-web ${opened.runtime}`;
  const sizes = tileSizes(manifest).map(([rows, cols]) => [`${rows},${cols}`, `${rows} x ${cols}`]);
  const before = $("tile").value;
  showOptions($("tile"), sizes, sizes.some(([value]) => value === before) ? before : sizes[0][0]);
  return `Model loaded and its hash checked in ${short(opened.loadMs)} ms.`;
}

/** Show a capture from the bytes of a DNG. */
async function show(buffer, name) {
  const frame = readDng(buffer);
  const sensor = state.opened?.manifest.sensor;
  if (!sensor) throw new UserError("The model is not loaded, see above. Load the page again.");
  Object.assign(state, { frame, name, result: null, color: colorOf(frame, sensor), brightness: brightnessOf(frame) });
  showFacts($("results"), {});
  $("gain").value = frame.iso === null ? "" : String(frame.iso / sensor.base_iso);
  $("gain-hint").textContent = frame.iso === null
    ? `the file states no ISO: give the gain, 1 = ISO ${sensor.base_iso}`
    : `from the file's ISO ${frame.iso}; 1 = ISO ${sensor.base_iso}`;
  const [r, gr, gb, b] = frame.blackLevel.map(short);
  showFacts($("facts"), {
    File: name,
    Camera: `${frame.make} ${frame.model}`.trim() || "not stated",
    Size: `${frame.width} x ${frame.height}, ${short((frame.width * frame.height) / 1e6)} MP`,
    Pattern: frame.cfa,
    "Black, white": `${new Set([r, gr, gb, b]).size === 1 ? r : [r, gr, gb, b].join(" ")}, ${frame.whiteLevel} DN`,
    ISO: frame.iso === null ? "not stated" : String(frame.iso),
  });
  viewer.showBefore(await picture(frame));
  const other = frame.make && frame.model && !sameCamera(frame, sensor);
  return other
    ? `The model was made for ${sensor.make} ${sensor.model}; another sensor's noise differs, so judge with care.`
    : "Ready.";
}

const sameCamera = (frame, sensor) =>
  `${frame.make} ${frame.model}`.toLowerCase().includes(sensor.model.toLowerCase());

const picture = (frame) =>
  state.engine.run("render", { frame, color: state.color, brightness: state.brightness });

async function denoise() {
  const { frame, opened } = state;
  const { manifest } = opened;
  const how = conditions(manifest, frame, typedGain());
  const input = { frame, scalars: how.scalars, tile: chosenTile() };
  const { out, tiles, ms } = await state.engine.run("denoise", input, progress);
  // The noise that the file states is no longer in it.
  state.result = { ...frame, mosaic: out, noise: null };
  $("status").textContent = "Developing the picture…";
  viewer.showAfter(await picture(state.result));
  showFacts($("results"), {
    Gain: how.gain === null ? "not used: the file's noise" : short(how.gain),
    "Model selected": `${how.member + 1} of ${manifest.network.members} (index ${how.member})`,
    "Noise a": how.a.toExponential(2),
    "Noise b": how.b.toExponential(2),
    // Browsers compile WebAssembly better while it runs, so the first run is no measure.
    Time: `${short(ms)} ms${opened.ran ? "" : " (first run)"}`,
    "Per megapixel": `${short(ms / ((frame.width * frame.height) / 1e6))} ms/MP`,
    Tiles: String(tiles),
    Threads: String(opened.threads),
  });
  opened.ran = true;
  return how.warning || "Denoised. Move the line, or save the result.";
}

async function openFile(file) {
  if (file.size > MOST_FILE_BYTES) {
    throw new UserError(`${file.name} has ${file.size} bytes; allowed are ${MOST_FILE_BYTES}. Give one DNG.`);
  }
  return show(await file.arrayBuffer(), file.name);
}

async function openBuiltIn() {
  const response = await fetch(state.site.capture);
  if (!response.ok) throw new UserError(`The built-in capture is missing (${response.status}). Build the page again.`);
  return show(await response.arrayBuffer(), "built-in capture");
}

function listen() {
  $("file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    if (file) job(`Reading ${file.name}…`, () => openFile(file));
    target.value = ""; // the same file can be chosen again
  });
  $("builtin").addEventListener("click", () => job("Reading the built-in capture…", openBuiltIn));
  $("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    job("Denoising…", denoise, { stoppable: true });
  });
  $("stop").addEventListener("click", () => state.engine.cancel());
  $("save").addEventListener("click", () => {
    const stem = state.name.replace(/\.dng$/i, "").replaceAll(" ", "-");
    save(`${stem}-denoised.dng`, [writeDng(state.result)], "image/x-adobe-dng");
  });
  $("threads").addEventListener("change", () => job("Loading the model…", () => open(Number($("threads").value))));
  $("bench-form").addEventListener("submit", (event) => {
    event.preventDefault();
    job("Measuring…", runBench, { stoppable: true });
  });
  $("save-bench").addEventListener("click", () =>
    save("browser-benchmark.json", [JSON.stringify(state.report, null, 2), "\n"], "application/json"),
  );
  $("self-test").addEventListener("click", () => job("Replaying the golden vectors…", selfTest));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (file) job(`Reading ${file.name}…`, () => openFile(file));
  });
}

async function start() {
  const response = await fetch("site.json");
  if (!response.ok) throw new UserError(`site.json is missing (${response.status}). Build the page with web_demo/build.py.`);
  state.site = await response.json();
  const threads = threadChoices();
  showOptions($("threads"), threads.map((count) => [count, String(count)]), threads.findLast((count) => count <= 4));
  $("threads-hint").textContent = globalThis.crossOriginIsolated
    ? "Smaller tiles need less memory and take longer."
    : "One thread only: the server sends no COOP and COEP headers, or the address is neither https nor localhost. Smaller tiles need less memory.";
  await open(Number($("threads").value));
  return openBuiltIn();
}

listen();
job("Loading the runtime and the model (17 MB)…", start).then(() => {
  if (!state.opened) $("bundle").textContent = "The model was not loaded.";
});
