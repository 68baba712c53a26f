/** The page's side of the worker: jobs as promises, with progress and a way to stop. */
import { Cancelled, UserError } from "./errors.js";

export class Engine {
  constructor() {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.waiting = new Map();
    this.next = 0;
    this.worker.addEventListener("message", ({ data }) => this.receive(data));
    // What the worker itself cannot report: a script that is missing, memory that ran out.
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end(new UserError(`The worker stopped (${event.message ?? "no reason given"}). Load the page again.`));
    });
  }

  /**
   * @param {string} job a key of JOBS in worker.js.
   * @param {object} input copied to the worker.
   * @param {(share: number) => void} progress called with 0..1.
   */
  run(job, input = {}, progress = () => {}) {
    const id = this.next;
    this.next += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, job, input });
    });
  }

  receive({ id, progress, result, error }) {
    const job = this.waiting.get(id);
    if (!job) return;
    if (progress !== undefined) {
      job.progress(progress);
      return;
    }
    this.waiting.delete(id);
    if (error) job.reject(revived(error));
    else job.resolve(result);
  }

  /** Stop the running job at its next tile or round; it ends with Cancelled. */
  cancel() {
    this.worker.postMessage({ job: "cancel" });
  }

  /** End the worker and free its memory. */
  close() {
    this.worker.terminate();
    this.end(new Cancelled());
  }

  end(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

function revived({ name, message }) {
  if (name === "UserError") return new UserError(message);
  if (name === "Cancelled") return new Cancelled();
  if (name === "RangeError" && /alloc|memory/i.test(message)) {
    return new UserError(`Memory ran out (${message}). Close other tabs, or choose smaller tiles.`);
  }
  return new Error(message);
}

/** Threads that the page may use: more than one needs cross-origin isolation (COOP and COEP). */
export function threadChoices() {
  const cores = navigator.hardwareConcurrency || 1;
  if (!globalThis.crossOriginIsolated) return [1];
  return [1, 2, 4, 8].filter((count) => count <= cores);
}
