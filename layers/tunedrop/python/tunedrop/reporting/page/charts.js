// Draws the charts from the data in the page.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const { Plot } = globalThis;
  const NARROW = 480;

  const looks = { background: "transparent", color: "inherit", fontSize: "12px", fontFamily: "inherit" };
  const faint = { stroke: "currentColor", strokeOpacity: 0.25 };

  function comparison(width) {
    const narrow = width < NARROW;
    const marks = data.comparison;
    return Plot.plot({
      width, height: 44 + 34 * marks.length, marginLeft: narrow ? 112 : 160, marginRight: 58, style: looks,
      x: { domain: data.comparisonDomain, label: null, grid: true, ticks: narrow ? 4 : 8, tickFormat: ".2~f" },
      y: { domain: marks.map((d) => d.label), label: null, tickSize: 0 },
      marks: [
        Plot.ruleY(marks, { y: "label", x1: "low", x2: "high", stroke: (d) => `var(--${d.tone})`, strokeWidth: 3, strokeLinecap: "round" }),
        Plot.dot(marks, { y: "label", x: "mean", r: 6, fill: (d) => `var(--${d.tone})` }),
        Plot.text(marks, { y: "label", x: "high", text: (d) => d.shown, dx: 8, textAnchor: "start", fill: "currentColor", fontWeight: 600 }),
      ],
    });
  }

  function curve(which) {
    const points = data.curves[which];
    return (width) => Plot.plot({
      width, height: 210, marginLeft: 48, marginBottom: 42, marginRight: 12, style: looks,
      x: { label: "step", ticks: 5, tickFormat: "d" },
      y: { label: null, grid: true, nice: true, ticks: 5, zero: points.zero },
      marks: [
        Plot.lineY(points.series, { x: "step", y: "value", stroke: "var(--base)", strokeOpacity: 0.6, strokeWidth: 1 }),
        Plot.lineY(points.series, Plot.windowY({ k: points.window, anchor: "middle", strict: false }, { x: "step", y: "value", stroke: "var(--tuned)", strokeWidth: 2.5 })),
        Plot.ruleX(points.health, { x: "step", stroke: "var(--bad)", strokeDasharray: "4,3" }),
        Plot.dot(points.health, { x: "step", y: "value", stroke: "var(--bad)", strokeWidth: 2.5, r: 6, title: "message" }),
        Plot.tip(points.series, Plot.pointerX({ x: "step", y: "value", fill: "var(--card)", stroke: "var(--line)", title: (d) => `step ${d.step}: ${d.value.toPrecision(4)}` })),
      ],
    });
  }

  function distribution(width) {
    return Plot.plot({
      width, height: 230, marginLeft: 52, style: looks,
      x: { label: null, domain: data.distributionDomain, ticks: 6 },
      y: { label: null, grid: true, tickFormat: (y) => `${Math.round(y * 100)}%` },
      marks: [
        Plot.rectY(data.distribution, { x1: "from", x2: "to", y: "share", fill: (d) => `var(--${d.tone})`, title: (d) => `${d.label}: ${d.count} answers` }),
        Plot.ruleY([0], faint),
      ],
    });
  }

  function slices(width) {
    const narrow = width < NARROW;
    const parts = new Map(data.slices.map((d) => [d.name, d.label]));
    const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
    const short = (name) => (narrow ? cut(parts.get(name).replace(/ characters$/, ""), 18) : cut(name, 44));
    return Plot.plot({
      width, height: 50 + 26 * data.slices.length, marginLeft: narrow ? 132 : 300, marginRight: 24, style: looks,
      x: { label: null, grid: true, nice: true, ticks: narrow ? 3 : 8, tickFormat: narrow ? "+.1f" : "+.2f" },
      y: { domain: data.slices.map((d) => d.name), tickFormat: short, label: null, tickSize: 0 },
      marks: [
        Plot.ruleX([0], faint),
        Plot.ruleY(data.slices, { y: "name", x1: "low", x2: "high", stroke: "var(--tuned)", strokeWidth: 2.5 }),
        Plot.dot(data.slices, { y: "name", x: "difference", r: 4.5, fill: "var(--tuned)", title: (d) => `${d.name}: ${d.pairs} rows` }),
      ],
    });
  }

  function draw(id, make) {
    const place = document.querySelector(`#${CSS.escape(id)} .drawing`);
    if (!place) return;
    let last = 0;
    const redraw = () => {
      const width = Math.floor(place.clientWidth);
      if (!width || width === last) return;
      last = width;
      const drawn = make(width);
      // The figure has a name; those of its parts would be read out without sense.
      for (const part of [drawn, ...drawn.querySelectorAll("[aria-label]")]) part.removeAttribute("aria-label");
      place.replaceChildren(drawn);
    };
    redraw();
    new ResizeObserver(redraw).observe(place);
  }

  if (data.comparison.length) draw("chart-comparison", comparison);
  for (const which of Object.keys(data.curves)) draw(`curve-${which}`, curve(which));
  if (data.distribution.length) draw("chart-distribution", distribution);
  if (data.slices.length) draw("chart-slices", slices);

  // On paper nothing can be unfolded.
  addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("section > details:not(.export)")) each.open = true; });
})();
