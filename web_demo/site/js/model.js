/** The bundle's model in onnxruntime-web (WebAssembly). Runs in the worker. */
import { UserError } from "./errors.js";

let ort = null;

/** Load the runtime once; its number of threads cannot change after that. */
export async function loadRuntime(base, threads) {
  if (!ort) {
    try {
      ort = await import(new URL("ort.wasm.min.mjs", base).href);
    } catch (error) {
      throw new UserError(
        `The runtime could not be loaded (${firstLine(error)}). Build the page again, and look that ` +
          "the server sends .mjs files as text/javascript.",
      );
    }
    ort.env.wasm.wasmPaths = base;
    ort.env.wasm.numThreads = threads;
    ort.env.logLevel = "error";
  }
  return ort.env.versions.web;
}

export class Model {
  /** @param {ArrayBuffer} data of model.onnx. */
  static async load(data, manifest) {
    let session;
    try {
      session = await ort.InferenceSession.create(data, { executionProviders: ["wasm"] });
    } catch (error) {
      throw new UserError(
        `The model could not be loaded (${firstLine(error)}). If memory is short, close other tabs; ` +
          "else build the page again.",
      );
    }
    const wanted = manifest.selector === "gain" ? "raw,gain" : "raw,a,b";
    if (session.inputNames.join() !== wanted || session.outputNames.join() !== "denoised") {
      throw new UserError(
        `The model takes ${session.inputNames.join(", ")} and gives ${session.outputNames.join(", ")}; ` +
          `allowed are ${wanted} and denoised. Export the bundle again.`,
      );
    }
    return new Model(session);
  }

  constructor(session) {
    this.session = session;
  }

  /**
   * @param {Float32Array} raw height * width DN, RGGB at the origin.
   * @param {number[]} scalars gain, or a and b.
   * @returns {Promise<Float32Array>} denoised DN.
   */
  async run(raw, height, width, scalars) {
    const [first, ...others] = this.session.inputNames;
    const feeds = { [first]: new ort.Tensor("float32", raw, [1, 1, height, width]) };
    others.forEach((name, index) => {
      feeds[name] = new ort.Tensor("float32", Float32Array.of(scalars[index]), [1]);
    });
    try {
      return (await this.session.run(feeds)).denoised.data;
    } catch (error) {
      throw new UserError(
        `The model could not run on ${width} x ${height} samples (${firstLine(error)}). Choose ` +
          "smaller tiles under Options; they need less memory.",
      );
    }
  }

  release() {
    return this.session.release();
  }
}

const firstLine = (error) => String(error?.message ?? error).split("\n")[0];
