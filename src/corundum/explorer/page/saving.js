// Addresses and files of what is shown: figures as SVG and PNG, drawn in the page itself, and the run file.
"use strict";

const SCALE = 2; // pixels of an image for each of the page

function download(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const fileName = (text) => text.toLowerCase().replace(/[^a-z0-9.]+/g, "-").replace(/^-|-$/g, "");

/** A diagram of SVG with the colours of the theme in place of their names. */
function settledColors(svg) {
  const copy = svg.cloneNode(true), { width, height, x, y } = svg.viewBox.baseVal;
  const text = new XMLSerializer().serializeToString(copy).replace(/var\(--([a-z]+)\)/g, (_, name) => color(name));
  const inner = text.replace(/^<svg[^>]*>/, "").replace(/<\/svg>$/, "");
  const style = `fill="${color("ink")}" font-family="system-ui, sans-serif" font-size="13"`;
  return { width, height, content: `<g transform="translate(${-x} ${-y})" ${style}>${inner.replaceAll("<text ", `<text paint-order="stroke" stroke="${color("paper")}" stroke-width="4" `)}</g>` };
}

/** One figure with its heading and its key or hint above it, as the inside of an SVG picture. */
function pictureOf({ heading, words, keys, inside }) {
  const { width, height, content } = inside;
  const text = (y, line, more = "") => `<text x="10" y="${y}" fill="${color("ink")}" font-family="system-ui, sans-serif" ${more}>${escaped(line)}</text>`;
  let next = 16;
  const signs = keys.map(({ words: meaning, name, hollow }) => {
    const x = next;
    next += 26 + 6.2 * meaning.length; // about as wide as the letters are
    return `<circle cx="${x}" cy="32" r="4" stroke="${color(name)}" fill="${color(hollow ? "paper" : name)}"/><text x="${x + 9}" y="36" fill="${color("ink")}" font-family="system-ui, sans-serif" font-size="11.5">${escaped(meaning)}</text>`;
  });
  const lines = keys.length ? [] : inLines(words, width / 6.2), more = 15 * Math.max(0, lines.length - 1);
  const below = keys.length ? signs.join("") : lines.map((line, i) => text(36 + 15 * i, line, 'font-size="11.5"')).join("");
  return {
    width: width + 8, height: height + 58 + more,
    content: `${text(18, heading, 'font-size="15" font-weight="600"')}${below}<g transform="translate(0 ${42 + more})">${content}</g>`,
  };
}

/** Words in lines of so many letters at most. */
function inLines(words, most) {
  const lines = [""];
  for (const word of words.split(" ")) {
    if (lines.at(-1) && lines.at(-1).length + word.length >= most) lines.push("");
    lines[lines.length - 1] += `${lines.at(-1) && " "}${word}`;
  }
  return lines;
}

/** Pictures in rows of at most two as one SVG document. */
function sheet(pictures, title = "") {
  const gap = 14, top = title ? 40 : 8;
  let x = gap, y = top, tall = 0, wide = 0;
  const placed = pictures.map(({ width, height, content }, i) => {
    if (i && x + width > 1500) { x = gap; y += tall + gap; tall = 0; }
    const part = `<g transform="translate(${x} ${y})">${content}</g>`;
    x += width + gap;
    tall = Math.max(tall, height);
    wide = Math.max(wide, x);
    return part;
  });
  const height = Math.ceil(y + tall + gap), width = Math.ceil(wide);
  const heading = title ? `<text x="${gap}" y="26" fill="${color("ink")}" font-family="system-ui, sans-serif" font-size="18" font-weight="600">${escaped(title)}</text>` : "";
  return { width, height, text: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${color("paper")}"/>${heading}${placed.join("\n")}</svg>` };
}

/** Downloads pictures as one file, `kind` "svg" or "png". */
async function saveFigures(name, pictures, kind, title = "") {
  const { width, height, text } = sheet(pictures, title);
  if (kind === "svg") {
    download(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
    return;
  }
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: SCALE * width, height: SCALE * height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  download(`${name}.png`, await new Promise((resolve) => canvas.toBlob(resolve, "image/png")));
}

/** A figure's heading, its hint or key, and what it holds, for `pictureOf`. */
function captured(figure, inside) {
  const keys = [...figure.querySelectorAll(".key")].map((key) => ({ words: key.textContent, ...key.firstChild.dataset, hollow: key.firstChild.className === "ring" }));
  return { heading: figure.querySelector("h2").textContent, words: figure.querySelector(".hint")?.textContent ?? "", keys, inside };
}

/** Two small buttons in a figure's caption that save it. */
function addSaving(figure, inside) {
  if (figure.querySelector(".save")) return;
  const buttons = document.createElement("span");
  buttons.className = "save";
  for (const kind of ["svg", "png"]) {
    const heading = figure.querySelector("h2").textContent;
    const button = Object.assign(document.createElement("button"), { textContent: kind, title: `Save this figure as ${kind.toUpperCase()}` });
    button.setAttribute("aria-label", `save ${heading} as ${kind.toUpperCase()}`);
    button.addEventListener("click", () => saveFigures(fileName(heading), [pictureOf(captured(figure, inside()))], kind).catch(complain));
    buttons.append(button);
  }
  figure.querySelector("figcaption").append(buttons);
}

const encoded = () => encodeURIComponent(JSON.stringify({ laws: explorer.laws, values: explorer.values }));

async function copyLink() {
  history.replaceState(null, "", `#${encoded()}`);
  try {
    await navigator.clipboard.writeText(location.href);
    say("the address was copied");
  } catch {
    say("the address bar holds the link");
  }
}

async function runFile() {
  try {
    const { text } = await ask("runfile", { values: explorer.values });
    download("explored.toml", new Blob([text], { type: "text/plain" }));
  } catch (error) {
    complain(error);
  }
}

/** All figures as one file. */
function saveAll(kind) {
  if (!explorer.picture?.base) return complain(new Error("there is nothing to save before the first solution"));
  const shown = [...figures()].filter(([figure]) => !figure.hidden);
  const pictures = shown.map(([figure, inside]) => pictureOf(captured(figure, inside())));
  saveFigures(fileName(document.title), pictures, kind, document.title).catch(complain);
}

/** Each figure that can be saved, and what draws it. */
function* figures() {
  for (const relation of explorer.charts) yield [relation.figure, () => relation.svg()];
  yield [element("history"), () => explorer.history.chart.svg()];
  yield [element("budget"), () => explorer.budget.shares.chart.svg()];
  if (explorer.indices) yield [element("indices"), () => explorer.indices.shares.chart.svg()];
  yield [element("diagram"), () => settledColors(element("diagram").querySelector("svg"))];
}
