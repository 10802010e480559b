// The explorer: sliders move the picture along its slopes at once; the exact solution follows.
"use strict";

const element = (id) => document.getElementById(id);
/** What a page from disk holds inside instead of asking a server; null where there is one. */
const INSIDE = JSON.parse(element("inside")?.textContent ?? "null");
const decoded = (text) => unpacked(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
const PAUSE = 1000; // ms without a change before what takes longest is computed
const TOKEN = new URLSearchParams(location.search).get("token") ?? "";

const explorer = {
  laws: {}, values: {}, before: [], picture: null, accounts: null, parameters: null, charts: [], pinned: null, chosen: null,
  timed: null, solving: false, learning: false, counting: false, recent: [], drawn: 0, timings: { update: 0, exact: 0 },
};

async function ask(name, body = {}, kind = "json") {
  const answer = await fetch(name, {
    method: "POST", headers: { "X-Token": TOKEN, "Content-Type": "application/json" }, body: JSON.stringify({ laws: explorer.laws, ...body }),
  });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message ?? `the server answered ${answer.status}`);
  return kind === "json" ? answer.json() : unpacked(await answer.arrayBuffer());
}

function say(text) {
  if (element("state").textContent !== text) element("state").textContent = text;
}

function complain(error) {
  const box = element("problem");
  box.textContent = error.message;
  box.hidden = false;
  clearTimeout(complain.timer);
  complain.timer = setTimeout(() => { box.hidden = true; }, 8000);
}

// ---- what is drawn ----

function draw() {
  explorer.drawn = 0;
  const { picture, values, pinned, chosen } = explorer;
  if (!picture?.exact) return;
  const start = performance.now();
  for (const chart of explorer.charts) chart.draw(picture, values, pinned, chosen);
  explorer.history.draw(picture, values, pinned, chosen, element("quantity").value);
  explorer.budget.draw(picture, values);
  if (explorer.accounts?.exact) explorer.indices.draw(explorer.accounts, values);
  element("indices").classList.toggle("stale", Boolean(explorer.accounts?.exact) && !explorer.accounts.isExact(values));
  element("modes").classList.toggle("stale", explorer.timed !== null && !picture.isSame(explorer.timed, values));
  explorer.timings.update = performance.now() - start;
  if (picture.isExact(values)) {
    drawDiagram();
    showStatus(element("solver"), element("failed"), picture);
  }
  describeState();
}

function redraw() {
  if (!explorer.drawn) explorer.drawn = requestAnimationFrame(draw);
}

function describeState() {
  const { picture, values, timings } = explorer;
  const failed = picture.exact.status.values.filter((status) => status !== 0).length;
  const solved = failed ? `${failed} of ${picture.description.halos.length} galaxies not solved` : `${picture.description.halos.length} galaxies solved`;
  const slopes = picture.slopes.size < picture.byName.size ? `${picture.slopes.size} of ${picture.byName.size} slopes known` : "all slopes known";
  if (INSIDE) {
    const moved = [...picture.byName.keys()].filter((name) => picture.at(values, name) !== picture.at(picture.base, name)).length;
    const between = moved > 1 ? "an estimate without a server: what single sliders change is added" : "between exact solutions along this slider, without a server";
    say(picture.isExact(values) ? `exact, ${solved}` : between);
    return;
  }
  say(picture.isExact(values) ? `exact, ${solved}${timings.exact < 2000 ? ` in ${timings.exact.toFixed(0)} ms` : ""}; ${slopes}` : `moved along the slopes; ${slopes}`);
}

// ---- exact solutions and slopes ----

/** Computes when nothing has asked for it again for a while, so that the next exact solution does not wait for it. */
function later(compute, pause) {
  clearTimeout(compute.timer);
  compute.timer = setTimeout(compute, pause);
}

async function settle() {
  if (explorer.solving || !explorer.picture) return;
  if (INSIDE) return;
  explorer.solving = true;
  try {
    do {
      const { picture } = explorer, values = { ...explorer.values }, start = performance.now();
      const message = await ask("solve", { values }, "arrays");
      if (picture !== explorer.picture) continue;
      explorer.timings.exact = performance.now() - start;
      picture.settle(values, message);
      redraw();
    } while (!explorer.picture.isExact(explorer.values));
  } catch (error) {
    complain(error);
    if (!explorer.picture.base) say(`no solution: ${error.message}`);
    if (explorer.picture.base) { explorer.values = { ...explorer.picture.base }; explorer.parameters.show(explorer.values); redraw(); }
  } finally {
    explorer.solving = false;
  }
  await learn();
  later(showGalaxy, 0.3 * PAUSE);
  later(count, PAUSE);
}

/** Slopes at the exact solution, those of parameters moved lately first, until a slider moves. */
async function learn() {
  if (explorer.learning) return;
  explorer.learning = true;
  try {
    const { picture } = explorer, base = picture.base;
    for (const names of explorer.parameters.blocks(explorer.recent)) {
      if (picture !== explorer.picture || !picture.isExact(explorer.values) || picture.base !== base) break;
      picture.learn(await ask("slopes", { values: base, names }, "arrays"));
      explorer.parameters.respond(picture);
      redraw();
    }
  } catch (error) {
    complain(error);
  } finally {
    explorer.learning = false;
  }
}

/** Prevention and ejection indices at the exact solution, and their slopes, until a slider moves. */
async function count() {
  const { picture, accounts } = explorer, base = picture.base;
  if (INSIDE || explorer.counting || !accounts || !picture.isExact(explorer.values)) return;
  explorer.counting = true;
  const current = () => picture === explorer.picture && picture.isExact(explorer.values) && picture.base === base;
  try {
    for (const names of explorer.parameters.blocks(explorer.recent)) {
      if (!current()) break;
      const { arrays } = await ask("indices", { values: base, names }, "arrays");
      if (picture !== explorer.picture) break;
      countedAt(accounts, base, names, arrays);
      redraw();
    }
  } catch (error) {
    complain(error);
  } finally {
    explorer.counting = false;
  }
  if (!current() && explorer.picture.isExact(explorer.values) && !explorer.solving) later(count, PAUSE);
}

function countedAt(accounts, base, names, { indices, slopes }) {
  accounts.settle(base, { arrays: { indices } });
  accounts.learn({ names, arrays: { indices: slopes } });
}

/** The time scales of the chosen galaxy at the redshift of the flows. */
async function showGalaxy() {
  const { picture, chosen, values } = explorer, { halos, redshifts } = picture.description;
  if (INSIDE || !picture.isExact(values)) return;
  const halo = chosen ?? heaviest(halos), time = Number(element("when").value);
  try {
    const { modes } = await ask("modes", { values, halo, time });
    if (picture === explorer.picture && chosen === explorer.chosen) {
      showModes(element("modes"), modes, picture.description, halo, redshifts[time]);
      explorer.timed = values;
      redraw();
    }
  } catch (error) {
    complain(error);
  }
}

// ---- changes ----

function remember() {
  explorer.before.push({ laws: { ...explorer.laws }, values: { ...explorer.values } });
  explorer.before.splice(0, Math.max(0, explorer.before.length - 100));
  element("undo").disabled = false;
}

function change(values) {
  explorer.values = values;
  explorer.parameters.show(values);
  redraw();
  settle();
}

let moving = false;
function move(name, value) {
  if (!moving) remember();
  moving = true;
  explorer.recent = [name, ...explorer.recent.filter((other) => other !== name)].slice(0, 8);
  change({ ...explorer.values, [name]: value });
}

async function undo() {
  const last = explorer.before.pop();
  if (!last) return;
  element("undo").disabled = !explorer.before.length;
  if (JSON.stringify(last.laws) === JSON.stringify(explorer.laws)) change(last.values);
  else await open(last.laws, last.values);
}

async function swap(place, law) {
  remember();
  const kept = Object.fromEntries(Object.entries(explorer.values).filter(([name]) => !name.startsWith(`${place}.`)));
  const former = { ...explorer.laws };
  try {
    await open({ ...explorer.laws, [place]: law }, kept);
  } catch (error) {
    complain(error);
    await open(former, explorer.values);
  }
}

async function stepTowardsData() {
  element("step").disabled = true;
  say("moving towards the data");
  try {
    const values = await ask("step", { values: explorer.values, names: [...explorer.parameters.free] });
    remember();
    change(values);
  } catch (error) {
    complain(error);
  } finally {
    element("step").disabled = false;
  }
}

function pin() {
  const { picture, values } = explorer;
  const mean = picture.array("mean", values).values;
  const misfit = explorer.charts.flatMap(({ panel }) => panel.members).reduce((all, member) => ({ ...all, [member.index]: picture.misfit(mean, member) }), {});
  explorer.pinned = explorer.pinned ? null : { mean, misfit, reached: picture.exact.reached.values, sigma: picture.exact.sigma.values, histories: picture.array("histories", values).values };
  element("pin").setAttribute("aria-pressed", String(explorer.pinned !== null));
  redraw();
}

function choose(halo) {
  explorer.chosen = halo;
  element("galaxy").value = halo ?? "";
  redraw();
  showGalaxy();
}

// ---- start ----

const SIGNS = [["galaxy", "one galaxy"], ["model", "mean of the model", "dash"], ["data", "data"], ["pinned", "pinned", "ring"], ["chosen", "chosen galaxy"]];

async function open(laws, values) {
  explorer.laws = laws;
  const description = INSIDE?.description ?? (await ask("describe"));
  explorer.values = Object.fromEntries(Object.entries(values).filter(([name]) => description.parameters.some((known) => known.name === name)));
  explorer.picture = new Picture(description);
  explorer.accounts = description.indices.length ? new Picture(description) : null;
  explorer.pinned = explorer.timed = null;
  element("failed").hidden = true;
  element("pin").setAttribute("aria-pressed", "false");
  document.title = element("title").textContent = description.title || `${description.model}, ${description.halos.length} halos`;
  element("runfile").hidden = !description.exports;
  explorer.parameters = new Parameters(element("groups"), description, {
    onMove: move, onDone: () => { moving = false; }, onLaw: swap,
  });
  explorer.parameters.show(explorer.values);
  keyed(element("signs"), SIGNS);
  element("relations").replaceChildren();
  explorer.charts = panelsOf(description.measurements).map((panel) => new RelationChart(element("relations"), panel, choose));
  for (const id of ["history", "budget", "indices", "diagram"]) element(id).querySelector(".plot").replaceChildren();
  explorer.history = new HistoryChart(element("history"), description);
  explorer.budget = new BudgetChart(element("budget"), description);
  element("indices").hidden = !explorer.accounts;
  explorer.indices = explorer.accounts && new IndexChart(element("indices"), description);
  explorer.diagram = new Diagram(element("diagram"), description);
  for (const [figure, inside] of figures()) addSaving(figure, inside);
  element("notes").hidden = !description.notes.length;
  element("notes").textContent = description.notes.join(" ");
  fill(element("quantity"), description.histories.map(({ name, meaning }) => [name, meaning]), "mstar");
  const byMass = [...description.halos.keys()].sort((a, b) => description.halos[b] - description.halos[a]);
  fill(element("galaxy"), [["", "none"], ...byMass.map((halo) => [String(halo), `10^${description.halos[halo].toFixed(2)} Msun`])], "");
  if (explorer.chosen >= description.halos.length) explorer.chosen = null;
  choose(explorer.chosen);
  fill(element("currency"), explorer.diagram.currencies.map((name) => [name, name]), "mass");
  Object.assign(element("when"), { max: description.redshifts.length - 1, value: description.redshifts.length - 1 });
  if (INSIDE) showInside();
  else say("waiting for the first exact solution");
  await settle();
  if (description.posterior) believe(INSIDE ? decoded(INSIDE.posterior) : await ask("posterior", {}, "arrays"));
}

/** The posterior below the sliders and behind the relations. */
function believe(posterior) {
  explorer.parameters.believe(posterior);
  const { shape: [, points], values } = posterior.arrays.bands;
  for (const chart of explorer.charts) chart.bands = [0, 1, 2].map((level) => values.subarray(level * points, (level + 1) * points));
  redraw();
}

function showInside() {
  explorer.picture.settle({}, decoded(INSIDE.picture));
  for (const message of INSIDE.slopes) explorer.picture.learn(decoded(message));
  for (const message of INSIDE.nodes) explorer.picture.learnAlong(decoded(message));
  for (const { names, message } of INSIDE.indices) countedAt(explorer.accounts, {}, names, decoded(message).arrays);
  explorer.parameters.respond(explorer.picture);
  for (const id of ["step", "runfile", "modes"]) element(id).hidden = true;
  redraw();
}

function fill(menu, options, initial) {
  const before = menu.value || initial;
  menu.replaceChildren(...options.map(([value, text]) => new Option(text, value, value === before, value === before)));
}

async function watch() {
  if (INSIDE) return;
  try {
    const { busy } = await (await fetch("busy", { headers: { "X-Token": TOKEN } })).json();
    element("busy").hidden = !busy;
    if (busy) element("busy").querySelector("span").textContent = `compiling the program for ${busy.what.join(", ")}: ${busy.seconds.toFixed(0)} s`;
  } catch {
    say("the server does not answer; is `corundum explore` still running?");
  }
  setTimeout(watch, 700);
}

function start() {
  const restored = (() => {
    try { return JSON.parse(decodeURIComponent(location.hash.slice(1))); } catch { return {}; }
  })();
  element("undo").addEventListener("click", undo);
  element("reset").addEventListener("click", () => { remember(); change({}); });
  element("step").addEventListener("click", stepTowardsData);
  element("pin").addEventListener("click", pin);
  element("link").addEventListener("click", copyLink);
  element("runfile").addEventListener("click", runFile);
  element("theme").addEventListener("click", () => { document.documentElement.classList.toggle("dark"); redraw(); });
  element("search").addEventListener("input", (event) => explorer.parameters?.search(event.target.value));
  element("quantity").addEventListener("change", redraw);
  element("galaxy").addEventListener("change", (event) => choose(event.target.value === "" ? null : Number(event.target.value)));
  element("when").addEventListener("change", showGalaxy);
  for (const kind of ["svg", "png"]) element(`all-${kind}`).addEventListener("click", () => saveAll(kind));
  element("currency").addEventListener("change", drawDiagram);
  element("when").addEventListener("input", drawDiagram);
  addEventListener("keydown", (event) => { if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); undo(); } });
  if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.classList.add("dark");
  watch();
  open(restored.laws ?? {}, restored.values ?? {}).catch(complain);
}

start();
