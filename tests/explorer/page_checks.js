// What the tests of the page ask it.
() => {
  const light = (name) => {
    const hex = color(name).slice(1);
    const [r, g, b] = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  window.checks = {
    move(name, position) {
      const { slider } = explorer.parameters.rows.get(name);
      slider.value = position;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    },
    settled() {
      const { picture, values, solving, learning } = explorer;
      return Boolean(picture?.base) && !solving && !learning && picture.slopes.size === picture.byName.size && picture.isExact(values);
    },
    mean: () => Array.from(explorer.picture.array("mean", explorer.values).values),
    residuals(kind = "now") {
      draw();
      return explorer.charts.flatMap(({ panel, residuals: { chart: { plot } } }) => panel.members.flatMap(({ x }, k) => {
        const [at, series] = [plot.data[0], plot.data[1 + 2 * k + (kind === "now" ? 1 : 0)]];
        return x.map((value) => series[at.indexOf(value)] ?? NaN);
      }));
    },
    placeOfResidual(point) {
      const { plot, spots } = explorer.charts[0].residuals.chart, { x, y } = spots()[point];
      return { x: plot.valToPos(x, "x"), y: plot.valToPos(y, "y") };
    },
    misfit: () => explorer.charts.flatMap(({ panel }) => panel.members).map((member) => explorer.picture.misfit(checks.mean(), member)),
    change: (name) => coordinate(explorer.picture.byName.get(name), explorer.values[name]) - coordinate(explorer.picture.byName.get(name), explorer.picture.at(explorer.picture.base, name)),
    place(galaxy) {
      const { plot, spots } = explorer.charts[0].chart;
      const { x, y } = spots().find((spot) => spot.galaxy === galaxy);
      return { x: plot.valToPos(x, "x"), y: plot.valToPos(y, "y") };
    },
    shownGalaxies: () => explorer.charts[0].chart.spots().filter((spot) => spot.galaxy !== undefined).length,
    data: () => explorer.charts[0].panel.members[0].x.length,
    about: (text) => [...explorer.parameters.rows.values()].filter(({ parameter }) => [parameter.name, parameter.meaning, parameter.source].some((entry) => entry.toLowerCase().includes(text))).length,
    unnamed: () => [...document.querySelectorAll("button, select, input")]
      .filter((control) => !(control.getAttribute("aria-label") || control.textContent.trim() || control.labels?.length))
      .map((control) => control.outerHTML),
    contrasts: () => [["ink", "paper"], ["faint", "paper"], ["ink", "panel"], ["chosen", "paper"], ["accent", "paper"]].map(([a, b]) => {
      const [more, less] = [light(a), light(b)].sort((p, q) => q - p);
      return (more + 0.05) / (less + 0.05);
    }),
  };
}
