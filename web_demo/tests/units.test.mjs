/** The page's arithmetic against values that Python computed; see cases.py. Run by test_units.py. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { mirroredIndices, phasePads } from "../site/js/bayer.js";
import { bench } from "../site/js/bench.js";
import { denoise, tileSizes } from "../site/js/denoise.js";
import { browserOf, systemOf } from "../site/js/device.js";
import { readDng } from "../site/js/dng.js";
import { ratio, writeDng } from "../site/js/dng_write.js";
import { Cancelled, UserError } from "../site/js/errors.js";
import { brightnessOf, colorOf, render } from "../site/js/isp.js";
import { parseManifest } from "../site/js/manifest.js";
import { checkGain, conditions, gainOf, noiseAt } from "../site/js/noise.js";
import { makeReport } from "../site/js/report.js";
import { checkSelection } from "../site/js/selftest.js";
import { sha256 } from "../site/js/sha256.js";
import { median, p90 } from "../site/js/statistics.js";
import { planAxis, planFrame } from "../site/js/tiling.js";

const FOLDER = process.env.CASES;
const cases = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const { manifest } = cases;

const bytes = (name) => {
  const data = readFileSync(join(FOLDER, name));
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
};
const samples = (name) => new Uint16Array(bytes(name));
const refused = (work, words) =>
  assert.throws(work, (error) => error instanceof UserError && words.test(error.message));

test("tiles are planned as Python plans them", () => {
  for (const { given, spans } of cases.tiling) {
    const found = planFrame(...given).map(({ rows, cols }) =>
      [rows, cols].map((s) => [s.start, s.stop, s.keepStart, s.keepStop]),
    );
    assert.deepEqual(found, spans);
  }
  assert.throws(() => planAxis(100, 64, 16, 16), RangeError);
  assert.throws(() => planAxis(160, 32, 16, 16), RangeError);
});

test("a 13 MP plan covers every sample once", () => {
  const covered = new Uint8Array(3120 * 4208);
  for (const { rows, cols } of planFrame(3120, 4208, [512, 512], 48, 16)) {
    for (let y = rows.keepStart; y < rows.keepStop; y += 1) {
      for (let x = cols.keepStart; x < cols.keepStop; x += 1) covered[y * 4208 + x] += 1;
    }
  }
  assert.ok(covered.every((times) => times === 1));
});

test("patterns are shifted and mirrored as NumPy does it", () => {
  for (const { given, pads, indices } of cases.pads) {
    assert.deepEqual(phasePads(...given), pads);
    const found = given[0].map((side, axis) => [...mirroredIndices(side, pads[axis])]);
    assert.deepEqual(found, indices);
  }
});

test("gain, noise and member agree; the bundle's own table too", () => {
  const frame = { iso: null, noise: null };
  for (const [gain, a, b, member] of cases.selection) {
    assert.deepEqual(noiseAt(manifest.sensor, gain), { a, b });
    assert.ok(Math.abs(gainOf(manifest.sensor, a) - gain) < 1e-9 * gain);
    assert.equal(conditions(manifest, frame, gain).member, member, `gain ${gain}`);
  }
  assert.equal(checkSelection(manifest), manifest.selection.length);
  refused(() => checkSelection({ ...manifest, selection: [[1, 3]] }), /selects member 0.*says 3/);
});

test("the gain comes from the field, then from the ISO, and is asked for else", () => {
  const frame = { iso: 800, noise: { a: 0.01, b: 1e-5 } };
  assert.equal(conditions(manifest, frame, null).gain, 8);
  assert.equal(conditions(manifest, frame, 4).gain, 4);
  refused(() => conditions(manifest, { ...frame, iso: null }, null), /No gain.*allowed.*Type the gain/);
  for (const gain of [0, -1, NaN, Infinity]) refused(() => conditions(manifest, frame, gain), /allowed are numbers above 0/);
  assert.match(checkGain(100, manifest.sensor), /beyond the sensor profile's 1 to 64/);
  const noisy = { ...manifest, selector: "noise-profile" };
  assert.deepEqual(conditions(noisy, frame, null).scalars, [0.01, 1e-5]);
  assert.deepEqual(conditions(noisy, { ...frame, noise: null }, null).scalars, Object.values(noiseAt(manifest.sensor, 8)));
});

test("frames of every pattern, size and level come out of the tiles as in Python", async () => {
  const model = { run: async (raw) => raw.map((dn) => dn - cases.shift) };
  for (const { name, frame } of cases.frames) {
    const given = { ...frame, mosaic: samples(`${name}.given`) };
    const out = new Uint16Array(given.mosaic.length);
    let last = 0;
    const progress = (done, all) => { last = done / all; };
    const how = { tile: manifest.tile, out, progress, stopped: async () => false };
    assert.ok((await denoise(model, manifest, given, [16], how)) > 1);
    assert.equal(last, 1);
    assert.deepEqual(out, samples(`${name}.expected`), name);
  }
});

test("stopping ends with Cancelled, after one tile", async () => {
  let calls = 0;
  const model = { run: async (raw) => { calls += 1; return raw; } };
  const given = { ...cases.frames[0].frame, mosaic: samples(`${cases.frames[0].name}.given`) };
  const how = { tile: manifest.tile, out: new Uint16Array(given.mosaic.length), progress: () => {}, stopped: async () => true };
  await assert.rejects(denoise(model, manifest, given, [16], how), Cancelled);
  assert.equal(calls, 1);
});

test("tile sizes are ones that the bundle allows", () => {
  const sizes = tileSizes({ ...manifest, tile: [1120, 1472] });
  assert.deepEqual(sizes, [[1120, 1472], [768, 768], [512, 512], [256, 256]]);
  assert.deepEqual(tileSizes({ ...manifest, fixed_shape: true }), [manifest.tile]);
});

test("DNG files are read as fa-mobile reads them", () => {
  for (const { name, frame } of cases.readable) {
    const { mosaic, ...found } = readDng(bytes(`dng/${name}.dng`));
    assert.deepEqual(mosaic, samples(`dng/${name}.u16`), name);
    for (const [key, value] of Object.entries(frame)) assert.deepEqual(found[key], value, `${name} ${key}`);
  }
});

test("what is written is read back; Python reads it too", () => {
  for (const { name } of cases.readable.filter((each) => each.name.startsWith("own-"))) {
    const frame = readDng(bytes(`dng/${name}.dng`));
    const data = writeDng(frame);
    assert.deepEqual(readDng(data), { ...frame });
    writeFileSync(join(FOLDER, "dng", `${name}.rewritten.dng`), new Uint8Array(data));
  }
  assert.deepEqual(ratio(0.4651), [4651, 10000]);
  assert.deepEqual(ratio(-2), [-2, 1]);
});

const WORDS = {
  "not-tiff": /not a DNG.*Convert/, empty: /not a DNG/, bigtiff: /BigTIFF/, "not-dng": /no DNGVersion/,
  compressed: /lossless JPEG.*uncompressed/, linear: /demosaiced/, "x-trans": /X-Trans.*allowed/,
  quad: /Quad-Bayer/, cyan: /R\?GB/, linearized: /LinearizationTable/, "24-bits": /24 bits/,
  "black-above-white": /black levels/, "area-outside": /ActiveArea/, "cut-off": /cut off or compressed/,
  "too-large": /4000000000 x 40/,
};

test("what is no readable DNG is refused with words", () => {
  const files = readdirSync(join(FOLDER, "dng")).filter((name) => name.endsWith(".bad"));
  assert.equal(files.length, Object.keys(WORDS).length);
  for (const [name, words] of Object.entries(WORDS)) refused(() => readDng(bytes(`dng/${name}.bad`)), words);
});

test("cut-off and damaged files never end in anything but a refusal", () => {
  const whole = new Uint8Array(bytes("dng/own-GRBG.dng"));
  const tries = [];
  for (let length = 0; length < whole.length; length += 13) tries.push(whole.slice(0, length));
  let seed = 1;
  const random = (below) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let count = 0; count < 3000; count += 1) {
    const damaged = whole.slice();
    // The tags stand behind the samples: most of the damage is put there.
    const from = count % 4 ? 33 * 47 * 2 : 0;
    for (let i = 0; i < 3; i += 1) damaged[from + random(whole.length - from)] = random(256);
    tries.push(damaged);
  }
  for (const data of tries) {
    try {
      readDng(data.buffer);
    } catch (error) {
      assert.ok(error instanceof UserError, `${error.stack}`);
    }
  }
});

test("the preview is that of fa_mobile.isp, but for the frame's border", () => {
  const { frame, brightness } = cases.render;
  const given = { ...frame, mosaic: samples("render.given") };
  const { width, height, pixels } = render(given, colorOf(given, manifest.sensor), brightness);
  const wanted = new Uint8Array(bytes("render.expected"));
  let most = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      for (let c = 0; c < 3; c += 1) most = Math.max(most, Math.abs(pixels[4 * (y * width + x) + c] - wanted[3 * (y * width + x) + c]));
    }
  }
  assert.ok(most <= 1, `off by ${most}`);
  assert.equal(brightnessOf({ ...given, mosaic: given.mosaic.map(() => 64) }), 16);
});

test("very large mosaics are shown at half their size", () => {
  const [width, height] = [5000, 3202];
  const mosaic = new Uint16Array(width * height).fill(500);
  const frame = { ...cases.render.frame, width, height, mosaic };
  const shown = render(frame, colorOf(frame, manifest.sensor), 1);
  assert.deepEqual([shown.width, shown.height, shown.pixels.length], [2500, 1601, 4 * 2500 * 1601]);
});

test("median and percentile are Python's", () => {
  for (const { samples: given, median: middle, p90: high } of cases.statistics) {
    assert.ok(Math.abs(median(given) - middle) < 1e-12 * middle);
    assert.ok(Math.abs(p90(given) - high) < 1e-12 * high);
  }
});

test("SHA-256 with and without WebCrypto", async () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000, 100_001]) {
    const data = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);
    const wanted = createHash("sha256").update(data).digest("hex");
    assert.equal(await sha256(data.buffer), wanted);
    assert.equal(await sha256(data.buffer, null), wanted);
  }
});

test("manifests that are not the page's are refused", () => {
  const given = (change) => JSON.stringify({ ...manifest, ...change });
  assert.equal(parseManifest(given({})).name, manifest.name);
  refused(() => parseManifest("{"), /not JSON/);
  refused(() => parseManifest("null"), /schema version undefined; this page reads 2/);
  refused(() => parseManifest(given({ schema_version: 1 })), /schema version 1; this page reads 2/);
  refused(() => parseManifest(given({ target: "coreml" })), /for coreml; this page runs onnx/);
  refused(() => parseManifest(given({ edges: ["x"], files: ["../model.onnx"] })), /files, edges/);
  refused(() => parseManifest(given({ sensor: {} })), /sensor\.black_level/);
  refused(() => parseManifest(given({ tile: [64, 64] })), /do not fit/);
});

test("a benchmark warms up, keeps every sample, goes on for its seconds, and stops", async () => {
  const calls = [];
  const model = {
    run: async (raw, height, width) => {
      calls.push([raw.length, height, width]);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return raw;
    },
  };
  const frame = { ...cases.frames[0].frame, mosaic: samples(`${cases.frames[0].name}.given`) };
  const shares = [];
  const how = { tile: [128, 160], rounds: 3, warmup: 2, progress: (share) => shares.push(share), stopped: async () => false };
  const burst = await bench(model, manifest, frame, [16], { ...how, seconds: 0 });
  assert.deepEqual([burst.samples.length, burst.started.length, calls.length], [3, 3, 5]);
  assert.deepEqual([calls[0], shares.at(-1)], [[128 * 160, 128, 160], 1]);
  const sustained = await bench(model, manifest, frame, [16], { ...how, seconds: 0.1 });
  assert.ok(sustained.samples.length > 3 && sustained.started.at(-1) < 0.1);
  assert.ok([...sustained.samples, sustained.firstMs].every((ms) => ms > 0));
  await assert.rejects(bench(model, manifest, frame, [16], { ...how, seconds: 9, stopped: async () => true }), Cancelled);
});

test("a report for Python to read", () => {
  const measured = { samples: [3, 1, 2], started: [0, 0.1, 0.2], width: 160, height: 128, loadMs: 5, firstMs: 4, warmup: 2 };
  const device = {
    kind: "browser", browser: browserOf("Mozilla/5.0 (X11; Linux) Firefox/140.0"), os: systemOf("Mozilla/5.0 (X11; Linux) Firefox/140.0"),
    model: null, architecture: null, cores: 2, flags: ["wasm-simd"], runtimes: { "onnxruntime-web": "1.30.0" }, app_version: "0.1.0",
  };
  assert.equal(device.browser, "Firefox 140.0");
  assert.equal(device.os, "X11; Linux");
  const settings = { threads: 1, gain: 16, rounds: 3, seconds: 0 };
  const bundle = { sumsHash: "a".repeat(64), bundleBytes: 5 };
  const report = makeReport(manifest, bundle, measured, settings, device);
  writeFileSync(join(FOLDER, "report-burst.json"), JSON.stringify(report));
  const sustained = makeReport(manifest, bundle, measured, { ...settings, seconds: 60 }, device);
  writeFileSync(join(FOLDER, "report-sustained.json"), JSON.stringify(sustained));
});
