// The parameters: one slider for each number of the model, grouped by law, with a menu of laws where others can stand.
"use strict";

class Parameters {
  /** `onMove(name, value)`, `onDone()` when a slider is let go, `onLaw(place, law)`. */
  constructor(holder, description, { onMove, onDone, onLaw }) {
    this.rows = new Map();
    this.free = new Set(description.free);
    this.columns = description.columns;
    holder.replaceChildren();
    const groups = new Map();
    for (const parameter of description.parameters) {
      const group = parameter.name.split(".")[0];
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(parameter);
    }
    for (const place of Object.keys(description.laws)) if (!groups.has(place)) groups.set(place, []);
    for (const [group, members] of groups) holder.append(this.group(group, members, description.laws[group], { onMove, onDone, onLaw }));
  }

  group(name, members, laws, { onMove, onDone, onLaw }) {
    const details = document.createElement("details");
    details.open = ["mass_loading", "energy_loading", "depletion_time", "channels"].includes(name);
    const summary = document.createElement("summary"), holder = document.createElement("div");
    holder.className = "group";
    holder.append(details);
    summary.textContent = name === "channels" ? "channels: what if?" : name.replaceAll("_", " ");
    if (name === "channels") details.title = "Each flow times a number from 0 to 2: what if there were none of it, or twice as much?";
    if (laws) {
      const menu = document.createElement("select");
      menu.setAttribute("aria-label", `law of ${name}`);
      menu.title = "Another law in this place, by the names that run files have for them (physics.NAME)";
      for (const law of laws.laws) menu.add(new Option(law, law, law === laws.law, law === laws.law));
      menu.addEventListener("change", () => onLaw(name, menu.value));
      holder.prepend(menu);
    }
    details.append(summary, ...members.map((parameter) => this.row(parameter, { onMove, onDone })));
    return holder;
  }

  row(parameter, { onMove, onDone }) {
    const row = document.createElement("div");
    row.className = "parameter";
    const short = parameter.name.split(".").slice(1).join(".") || parameter.name;
    row.innerHTML = `<div class="name"><label><input type="checkbox" title="moves towards the data"> <span></span></label><output></output></div>
      <input type="range" min="0" max="${LARGEST_SLIDER}" step="1"><div class="response" title="how strongly the relations respond over the whole range"><div></div></div>`;
    row.querySelector("span").textContent = short.replaceAll("_", " ");
    row.title = `${parameter.name}: ${parameter.meaning} (${parameter.source}); slider: ${`${inWords(parameter.low)} to ${inWords(parameter.high)} ${parameter.unit}`.trim()}; prior: ${parameter.prior}`;
    const slider = row.querySelector("input[type=range]"), tick = row.querySelector("input[type=checkbox]");
    slider.setAttribute("aria-label", `${parameter.name}, ${parameter.meaning}`);
    slider.addEventListener("input", () => onMove(parameter.name, valueAt(parameter, Number(slider.value))));
    slider.addEventListener("change", onDone);
    tick.setAttribute("aria-label", `move ${parameter.name} towards the data`);
    tick.addEventListener("change", () => (tick.checked ? this.free.add(parameter.name) : this.free.delete(parameter.name)));
    tick.checked = this.free.has(parameter.name);
    if (parameter.density) slider.after(densityOf(parameter));
    // What a pointer sees as a title is said below the list to whoever comes by keyboard.
    slider.setAttribute("aria-description", row.title);
    row.addEventListener("focusin", () => { document.getElementById("about").textContent = row.title; });
    this.rows.set(parameter.name, { row, slider, parameter, output: row.querySelector("output"), bar: row.querySelector(".response div") });
    return row;
  }

  show(values) {
    for (const [name, { row, slider, parameter, output }] of this.rows) {
      const value = values[name] ?? parameter.value;
      slider.value = positionOf(parameter, value);
      output.textContent = `${inWords(value)} ${parameter.unit}`.trim();
      slider.setAttribute("aria-valuetext", output.textContent);
      row.classList.toggle("moved", name in values && value !== parameter.value);
    }
  }

  /** All names in blocks whose slopes are computed at once, some of them `first`. */
  blocks(first) {
    const names = [...new Set([...first, ...this.rows.keys()])].filter((name) => this.rows.has(name)), blocks = [];
    while (names.length) blocks.push(names.splice(0, this.columns));
    return blocks;
  }

  /** The 68% interval and the median of a posterior under each slider that it is about. */
  believe(posterior) {
    for (const { name, low, middle, high } of posterior?.intervals ?? []) {
      const entry = this.rows.get(name);
      if (!entry) continue;
      const at = (value) => Math.max(0, Math.min(100, (100 * positionOf(entry.parameter, value)) / LARGEST_SLIDER));
      const strip = document.createElement("div");
      strip.className = "interval";
      strip.title = `posterior: ${inWords(middle)}, 68% between ${inWords(low)} and ${inWords(high)} ${entry.parameter.unit}`;
      strip.innerHTML = `<div style="left: ${at(low)}%; width: ${Math.max(0.5, at(high) - at(low))}%"></div><i style="left: ${at(middle)}%"></i>`;
      entry.slider.after(strip);
      entry.row.title += `; ${strip.title}`;
      entry.slider.setAttribute("aria-description", entry.row.title);
    }
  }

  respond(picture) {
    const reached = picture.reached();
    const sizes = [...this.rows.keys()].map((name) => [name, picture.response(name, "mean", reached)]);
    const largest = Math.max(...sizes.map(([, size]) => size ?? 0), 1e-12);
    for (const [name, size] of sizes) this.rows.get(name).bar.style.width = `${(100 * (size ?? 0)) / largest}%`;
  }

  search(text) {
    const wanted = text.toLowerCase();
    for (const { row, parameter } of this.rows.values()) {
      const fits = [parameter.name, parameter.meaning, parameter.source].some((entry) => entry.toLowerCase().includes(wanted));
      row.hidden = !fits;
      if (wanted && fits) row.closest("details").open = true;
    }
    for (const group of document.querySelectorAll("#groups .group")) group.hidden = wanted !== "" && !group.querySelector(".parameter:not([hidden])");
  }
}

/** The density of a prior along its slider. */
function densityOf({ density, prior }) {
  const last = density.length - 1, strip = document.createElement("div");
  strip.className = "prior";
  strip.title = `prior: ${prior}`;
  strip.innerHTML = `<svg viewBox="0 0 ${last} 1" preserveAspectRatio="none" aria-hidden="true"><path d="M0,1 ${density.map((height, i) => `L${i},${(1 - height).toFixed(3)}`).join(" ")} L${last},1 Z"/></svg>`;
  return strip;
}
