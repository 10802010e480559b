// Two small tables: time scales of the chosen galaxy, and how the solver ended for all of them.
"use strict";

const CONTENTS = 3; // named of a pattern
const BACK = "Undo the last change, or bring the numbers that were moved nearer to where they were.";
const REMEDIES = {
  1: `Some flow is much faster than the others there. ${BACK} A solver with more max_steps goes on for longer.`,
  2: `A rate changes faster than the solver can follow. ${BACK}`,
  3: `The solution grew without bound. ${BACK}`,
  4: BACK,
  5: `The values are outside of where a law holds. ${BACK}`,
};

const rowOf = (cells, kind = "td") => {
  const row = document.createElement("tr");
  for (const text of cells) row.append(Object.assign(document.createElement(kind), { textContent: text }));
  return row;
};

/** The modes of one galaxy in words: what changes together, how fast it fades or grows, and which flows set that. */
function showModes(figure, modes, description, halo, redshift) {
  figure.querySelector(".hint").textContent = `${haloInWords(description, halo)}, at z = ${inWords(redshift)}`;
  const holder = figure.querySelector(".scroll");
  if (!modes.length) {
    holder.textContent = "This galaxy has no solution at that time.";
    return;
  }
  const table = document.createElement("table");
  table.append(rowOf(["a small change of", "time [Gyr]", "set by"], "th"));
  for (const { timescale, grows, period, contents, flows } of modes) {
    const sign = (share) => (contents.length === 1 ? "" : share > 0 ? "+ " : "− ");
    const words = contents.slice(0, CONTENTS).map(([name, share]) => `${sign(share)}${description.quantities[name] ?? name}`).join(", ");
    const fate = `${grows ? "grows in" : "fades in"} ${inWords(timescale)}${period ? `, and swings every ${inWords(period)}` : ""}`;
    table.append(rowOf([words + (contents.length > CONTENTS ? " …" : ""), fate, flows.map(([name]) => name.replaceAll("_", " ")).join(", ")]));
  }
  holder.replaceChildren(table);
}

/** A bar for each way in which solves ended, and a sentence where galaxies are missing. */
function showStatus(figure, sentence, picture) {
  const { statuses, halos } = picture.description;
  const status = [...picture.exact.status.values], steps = [...picture.exact.steps.values].sort((a, b) => a - b);
  const counts = new Map();
  for (const code of status) counts.set(code, (counts.get(code) ?? 0) + 1);
  figure.querySelector(".hint").textContent = `steps of the solver: median ${steps[steps.length >> 1]}, at most ${steps[steps.length - 1]}`;
  figure.querySelector(".bars").replaceChildren(...[...counts].sort(([a], [b]) => a - b).map(([code, count]) => {
    const bar = document.createElement("div");
    bar.className = code ? "bar bad" : "bar";
    bar.innerHTML = "<span></span><div><div></div></div><b></b>";
    bar.querySelector("span").textContent = statuses[code] ?? `status ${code}`;
    bar.querySelector("b").textContent = count;
    bar.querySelector("div div").style.width = `${(100 * count) / halos.length}%`;
    return bar;
  }));
  const failed = [...status.keys()].filter((i) => status[i] !== 0);
  sentence.hidden = !failed.length;
  if (!failed.length) return;
  const masses = failed.map((i) => halos[i]);
  const reasons = [...counts].filter(([code]) => code).map(([code, count]) => `${statuses[code]} (${count})`).join("; ");
  const worst = [...counts].filter(([code]) => code).sort((a, b) => b[1] - a[1])[0][0];
  sentence.textContent = `${failed.length} of ${halos.length} galaxies are not shown, in halos of 10^${Math.min(...masses).toFixed(2)} to 10^${Math.max(...masses).toFixed(2)} Msun: ${reasons}. ${REMEDIES[worst] ?? ""}`;
}
