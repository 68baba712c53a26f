/** Where the page stands, and the one job that runs at a time. */
import { $ } from "./dom.js";
import { Cancelled, UserError } from "./errors.js";

/** Where things stand. `opened`: the bundle; `frame`: the capture; `result`: its denoised one. */
export const state = {
  site: null,
  engine: null,
  opened: null,
  frame: null,
  name: "",
  color: null,
  brightness: 1,
  result: null,
  report: null,
  busy: false,
};

/** Run one job at a time; its errors are shown and nothing is left half done. */
export async function job(title, work, { stoppable = false } = {}) {
  if (state.busy) return;
  state.busy = true;
  $("error").hidden = true;
  $("status").textContent = title;
  $("progress").hidden = false;
  $("progress").removeAttribute("value");
  $("stop").disabled = !stoppable;
  enable();
  try {
    $("status").textContent = (await work()) ?? "";
  } catch (error) {
    showError(error);
  } finally {
    state.busy = false;
    $("progress").hidden = true;
    $("stop").disabled = true;
    enable();
  }
}

function showError(error) {
  $("status").textContent = error instanceof Cancelled ? error.message : "";
  if (error instanceof Cancelled) return;
  const known = error instanceof UserError;
  $("error").textContent = known ? error.message : `Something went wrong: ${error.message}. Load the page again; if it stays, report it.`;
  $("error").hidden = false;
  if (!known) console.error(error);
}

function enable() {
  const ready = !state.busy && state.opened !== null;
  for (const id of ["denoise", "run-bench"]) $(id).disabled = !(ready && state.frame);
  $("self-test").disabled = !ready;
  $("save").disabled = state.busy || !state.result;
  $("save-bench").disabled = state.busy || !state.report;
  for (const id of ["file", "builtin", "threads", "tile"]) $(id).disabled = state.busy;
}

export const progress = (share) => {
  $("progress").value = share;
};
