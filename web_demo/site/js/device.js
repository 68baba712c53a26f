/** What the browser tells of itself and of the machine, for a benchmark report. */

/** @returns the report's `device`; see BrowserDevice in fa_mobile/bench/device.py. */
export async function describeDevice(runtime, pageVersion) {
  const hints = await clientHints();
  return {
    kind: "browser",
    browser: hints.browser ?? browserOf(navigator.userAgent),
    os: hints.os ?? systemOf(navigator.userAgent),
    model: hints.model,
    architecture: hints.architecture,
    cores: navigator.hardwareConcurrency || 1,
    flags: ["wasm-simd", ...(globalThis.crossOriginIsolated ? ["wasm-threads"] : [])],
    runtimes: { "onnxruntime-web": runtime },
    app_version: pageVersion,
  };
}

/** Chromium's own words; other browsers have none. */
async function clientHints() {
  const none = { browser: null, os: null, model: null, architecture: null };
  const data = navigator.userAgentData;
  if (!data) return none;
  try {
    const wanted = ["architecture", "fullVersionList", "model", "platform", "platformVersion"];
    const found = await data.getHighEntropyValues(wanted);
    // The list holds a made-up brand, so that nobody relies on its order.
    const brands = found.fullVersionList.filter(({ brand }) => !/not.*brand/i.test(brand));
    const own = brands.find(({ brand }) => brand !== "Chromium") ?? brands[0];
    return {
      browser: own ? `${own.brand} ${own.version}` : null,
      os: `${found.platform} ${found.platformVersion}`.trim() || null,
      model: found.model || null,
      architecture: found.architecture || null,
    };
  } catch {
    return none;
  }
}

export function browserOf(agent) {
  const known = [
    [/Firefox\/([\d.]+)/, "Firefox"],
    [/Edg\/([\d.]+)/, "Edge"],
    [/Chrome\/([\d.]+)/, "Chrome"],
    [/Version\/([\d.]+).*Safari/, "Safari"],
  ];
  for (const [pattern, name] of known) {
    const version = pattern.exec(agent)?.[1];
    if (version) return `${name} ${version}`;
  }
  return "unknown browser";
}

export function systemOf(agent) {
  const words = /\(([^)]+)\)/.exec(agent)?.[1] ?? "";
  return words.slice(0, 200) || "unknown system";
}
