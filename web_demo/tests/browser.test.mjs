/**
 * The built page in headless Chromium, as a user meets it. Run by test_browser.py, which serves the
 * page, states what is where (environment), and compares the files that this leaves in OUT.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

const { SITE, CASES, OUT, IMAGES, PLAYWRIGHT, CHROMIUM } = process.env;
const { chromium } = createRequire(import.meta.url)(PLAYWRIGHT);
const ELSEWHERE = "phone.test"; // not localhost: browsers call plain http there insecure
const LONG = { timeout: 120_000 };

let browser;
let page;
const outside = [];
const complaints = [];

/** A page of its own context, loaded; `change` takes something away from it before. */
async function open({ address = SITE, change = null, ...options } = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  await change?.(context);
  const found = await context.newPage();
  found.setDefaultTimeout(30_000);
  found.on("request", (request) => {
    const own = [new URL(address).origin, "data:", "blob:"];
    if (!own.some((start) => request.url().startsWith(start))) outside.push(request.url());
  });
  found.on("pageerror", (error) => complaints.push(`${error}`));
  found.on("console", (message) => {
    // Chromium itself tells of headers that plain http makes void.
    const wanted = change !== null || /header has been ignored/.test(message.text());
    if (message.type() === "error" && !wanted) complaints.push(message.text());
  });
  await found.goto(address);
  await settled(found);
  return found;
}

/** Wait until no job runs; returns what the page says. */
async function settled(where = page) {
  await where.waitForFunction(() => document.getElementById("progress").hidden, null, LONG);
  return where.evaluate(() => {
    const error = document.getElementById("error");
    return { status: document.getElementById("status").textContent, error: error.hidden ? "" : error.textContent };
  });
}

async function press(id, where = page) {
  await where.click(`#${id}`);
  return settled(where);
}

async function choose(name, where = page) {
  await where.setInputFiles("#file", name);
  return settled(where);
}

async function download(id, name) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(`#${id}`)]);
  await file.saveAs(join(OUT, name));
  return file.suggestedFilename();
}

const given = (name) => join(CASES, name);

before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--headless", "--no-sandbox", `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`],
  });
  page = await open({ viewport: { width: 1000, height: 780 } });
});

after(() => browser?.close());

test("the page loads its model and shows the built-in capture", async () => {
  assert.deepEqual(await settled(), { status: "Ready.", error: "" });
  assert.match(await page.textContent("#bundle"), /imx258-onnx-fp32: 4 models for Sony IMX258 .*onnxruntime-web 1\.30\.0/);
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  assert.equal(await page.inputValue("#gain"), "16");
});

test("the capture is denoised, shown and saved", async () => {
  const { status, error } = await press("denoise");
  assert.equal(error, "");
  assert.match(status, /Denoised/);
  const results = await page.textContent("#results");
  assert.match(results, /Gain16Model selected3 of 4 \(index 2\).*ms\/MP/);
  // The first run's time would be misread: browsers compile WebAssembly better while it runs.
  await press("denoise");
  await page.screenshot({ path: join(IMAGES, "desktop.jpg"), type: "jpeg", quality: 82, fullPage: true });
  assert.equal(await download("save", "builtin.dng"), "built-in-capture-denoised.dng");
});

test("samples as floats, in one tile and in many", async () => {
  for (const [name, tile, threads] of [["whole", [1120, 1472], 1], ["tiled", [256, 256], 2]]) {
    const values = await page.evaluate(async ([tileSize, count]) => {
      const { Engine } = await import("./js/engine.js");
      const { readDng } = await import("./js/dng.js");
      const engine = new Engine();
      const folder = (part) => new URL(part, location).href;
      await engine.run("open", { bundleBase: folder("bundle/"), runtimeBase: folder("runtime/"), threads: count });
      const frame = readDng(await (await fetch("capture.dng")).arrayBuffer());
      const { out, tiles } = await engine.run("denoise", { frame, scalars: [16], tile: tileSize, float: true });
      engine.close();
      return { tiles, out: Array.from(out) };
    }, [tile, threads]);
    assert.equal(values.tiles, name === "whole" ? 1 : 9);
    writeFileSync(join(OUT, `${name}.f32`), Float32Array.from(values.out));
  }
});

test("the line moves by keyboard and by dragging", async () => {
  const cut = () => page.evaluate(() => Number(document.querySelector(".after").style.clipPath.match(/[\d.]+/g).at(-1)));
  const middle = await cut();
  await page.focus("#slider");
  await page.keyboard.press("ArrowLeft");
  assert.ok((await cut()) < middle);
  await page.keyboard.press("Home");
  assert.equal(await cut(), 0);
  await page.keyboard.press("End");
  const box = await page.locator(".line").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x - 120, y);
  await page.mouse.up();
  const value = Number(await page.inputValue("#slider"));
  assert.ok(value > 50 && value < 95, `slider at ${value}`);
});

test("zoom scrolls, and the line stays in the window", async () => {
  await page.click('[data-zoom="4"]');
  const seen = await page.evaluate(() => {
    const pane = document.querySelector(".pane");
    const line = document.querySelector(".line").getBoundingClientRect();
    const box = pane.getBoundingClientRect();
    return { wide: pane.scrollWidth / pane.clientWidth, inside: line.left > box.left - 30 && line.right < box.right + 30 };
  });
  assert.ok(seen.wide > 2 && seen.inside);
  await page.click('[data-zoom="fit"]');
});

test("frames of other patterns, sizes and levels", async () => {
  for (const name of ["GBRG-odd", "BGGR-12-bits"]) {
    const { status } = await choose(given(`${name}.dng`));
    assert.equal(status, "Ready.");
    assert.equal((await press("denoise")).error, "");
    await download("save", `${name}.dng`);
  }
});

test("files that are no DNG, or not of a kind that is read, are refused with words", async () => {
  for (const [name, words] of [
    ["dng/not-tiff.bad", /not a DNG.*Allowed are.*Convert/],
    ["dng/compressed.bad", /compressed \(lossless JPEG\).*uncompressed/],
    ["dng/x-trans.bad", /6 x 6.*X-Trans.*allowed are 2 x 2/],
    ["dng/linear.bad", /no Bayer mosaic/],
    ["dng/empty.bad", /not a DNG/],
  ]) {
    const { status, error } = await choose(given(name));
    assert.match(error, words);
    assert.equal(status, "");
  }
  await page.screenshot({ path: join(OUT, "refused.png") });
  assert.equal((await press("denoise")).error, "", "the capture before is still there");
});

test("a file can be dropped on the page", async () => {
  const data = readFileSync(given("dng/own-RGGB.dng")).toString("base64");
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "dropped.dng"));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
  }, data);
  assert.deepEqual(await settled(), { status: "Ready.", error: "" });
  assert.match(await page.textContent("#facts"), /Filedropped\.dng.*47 x 33/);
});

test("a gain that is missing or wrong is asked for", async () => {
  assert.equal((await choose(given("dng/own-bare.dng"))).error, "");
  assert.equal(await page.inputValue("#gain"), "");
  assert.match((await press("denoise")).error, /No gain was given.*allowed are numbers above 0.*Type the gain/);
  await page.fill("#gain", "-3");
  assert.match((await press("denoise")).error, /gain -3 was given; allowed are numbers above 0/);
  await page.fill("#gain", "100");
  const { status, error } = await press("denoise");
  assert.equal(error, "");
  assert.match(status, /Gain 100 is beyond the sensor profile's 1 to 64/);
});

test("a run stops, the page answers meanwhile, and nothing of it is kept", async () => {
  await choose(given("large.dng"));
  await page.click("summary >> text=Options");
  await page.selectOption("#tile", "256,256");
  await page.click("#denoise");
  await page.waitForFunction(() => document.getElementById("progress").value > 0, null, LONG);
  const waited = await page.evaluate(async () => {
    const begin = performance.now();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - begin;
  });
  assert.ok(waited < 1000, `the page answered after ${waited} ms`);
  await page.click("#stop");
  const { status, error } = await settled();
  assert.deepEqual([status, error], ["Stopped. Nothing was changed.", ""]);
  assert.equal(await page.isDisabled("#save"), true);
  await press("builtin");
  assert.match((await press("denoise")).status, /Denoised/);
});

test("self-test and benchmark", async () => {
  await page.click("summary >> text=Benchmark");
  assert.equal((await press("self-test")).error, "");
  assert.match(await page.textContent("#bench-result"), /Self-test passed: 12 golden vectors.*17 selections/);
  await page.fill("#rounds", "0");
  assert.match((await press("run-bench")).error, /0 was given for the rounds; allowed are whole numbers of 1 to 1000/);
  for (const tile of ["1120,1472", "512,512"]) {
    await page.selectOption("#tile", tile);
    for (const threads of ["1", "2"]) {
      if ((await page.locator(`#threads option[value="${threads}"]`).count()) === 0) continue;
      await page.selectOption("#threads", threads);
      await settled();
      await page.fill("#rounds", "7");
      assert.equal((await press("run-bench")).error, "");
      assert.match(await page.textContent("#bench-result"), /7 runs on .* median .* p90 .* ms\/MP/);
      await download("save-bench", `report-${tile.split(",")[0]}-${threads}.json`);
    }
  }
});

test("a damaged bundle is found by its hash, with and without WebCrypto", async () => {
  const body = Buffer.from(await (await fetch(new URL("bundle/model.onnx", SITE))).arrayBuffer());
  body[1000] ^= 1;
  const damaged = (context) => context.route("**/bundle/model.onnx", (route) => route.fulfill({ body }));
  for (const address of [SITE, SITE.replace("127.0.0.1", ELSEWHERE)]) {
    const bad = await open({ address, change: damaged });
    assert.match((await settled(bad)).error, /bundle is damaged: model\.onnx has the hash .*Copy or export the bundle again/);
    assert.equal(await bad.isDisabled("#denoise"), true);
    await bad.context().close();
  }
});

test("a bundle with a missing file, and one of another schema", async () => {
  const missing = await open({ change: (context) => context.route("**/bundle/manifest.json", (route) => route.fulfill({ status: 404 })) });
  assert.match((await settled(missing)).error, /answered 404 for manifest\.json/);
  await missing.context().close();
  const { createHash } = await import("node:crypto");
  const body = JSON.stringify({ schema_version: 9 });
  const sum = createHash("sha256").update(body).digest("hex");
  const change = async (context) => {
    await context.route("**/bundle/manifest.json", (route) => route.fulfill({ body }));
    await context.route("**/bundle/SHA256SUMS", (route) => route.fulfill({ body: `${sum}  manifest.json\n` }));
  };
  const other = await open({ change });
  assert.match((await settled(other)).error, /schema version 9; this page reads 2/);
  await other.context().close();
});

test("a runtime that is missing, in part or as a whole", async () => {
  for (const [name, words] of [
    ["ort.wasm.min.mjs", /The runtime could not be loaded.*Build the page again/],
    ["ort-wasm-simd-threaded.wasm", /The model could not be loaded.*build the page again/],
  ]) {
    const bad = await open({ change: (context) => context.route(`**/runtime/${name}`, (route) => route.fulfill({ status: 404 })) });
    assert.match((await settled(bad)).error, words);
    await bad.context().close();
  }
  const idle = await open({ change: (context) => context.route("**/js/worker.js", (route) => route.fulfill({ status: 404 })) });
  assert.match((await settled(idle)).error, /The worker stopped.*Load the page again/);
  await idle.context().close();
});

test("a phone's screen, dark, over plain http in the local network: one thread, nothing wider than the screen", async () => {
  const phone = await open({
    address: SITE.replace("127.0.0.1", ELSEWHERE),
    viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark",
  });
  assert.equal(await phone.evaluate(() => isSecureContext || crossOriginIsolated), false);
  await press("denoise", phone);
  assert.match((await press("denoise", phone)).status, /Denoised/);
  assert.ok(await phone.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth));
  await phone.evaluate(() => document.getElementById("denoise").scrollIntoView());
  await phone.screenshot({ path: join(IMAGES, "phone.jpg"), type: "jpeg", quality: 82 });
  await phone.screenshot({ path: join(OUT, "phone-full.png"), fullPage: true });
  await phone.context().close();
});

test("nothing was fetched from elsewhere, and no script failed", () => {
  assert.deepEqual(outside, []);
  assert.deepEqual(complaints, []);
});
