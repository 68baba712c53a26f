/** What the user set, read from the form. */
import { $ } from "./dom.js";
import { UserError } from "./errors.js";

/** The gain as typed; null where the field is empty. */
export function typedGain() {
  const field = $("gain");
  if (field.validity.badInput) {
    throw new UserError("The gain is no number; allowed are numbers above 0. Type it again.");
  }
  return field.value === "" ? null : Number(field.value);
}

export const chosenTile = () => $("tile").value.split(",").map(Number);

/** How often the benchmark runs at least. */
export function typedRounds() {
  const rounds = Number($("rounds").value);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000) return rounds;
  throw new UserError(
    `${$("rounds").value || "Nothing"} was given for the rounds; allowed are whole numbers of 1 to 1000.`,
  );
}
