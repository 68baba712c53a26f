/** Small helpers for the page. */

export const $ = (id) => document.getElementById(id);

/** Fill a list of terms and values; an empty object hides it. */
export function showFacts(list, facts) {
  const entries = Object.entries(facts);
  list.replaceChildren(
    ...entries.map(([term, value]) => {
      const [pair, dt, dd] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      dt.textContent = term;
      dd.textContent = value;
      pair.append(dt, dd);
      return pair;
    }),
  );
  list.hidden = entries.length === 0;
}

/** Options of a select from [value, text] pairs; the chosen value stays where it can. */
export function showOptions(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
  select.value = chosen;
}

/** Hand a file to the browser's downloads. */
export function save(name, parts, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  // The download reads the address after the click; some browsers do so late.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A number for people: three significant digits, no exponent. */
export const short = (value) => String(Number(value.toPrecision(3)));
