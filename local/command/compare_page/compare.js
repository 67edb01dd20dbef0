// Draws the training curves of several runs, each in the colour of its run.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const { Plot } = globalThis;
  const looks = { background: "transparent", color: "inherit", fontSize: "12px", fontFamily: "inherit" };

  function chart(which, width) {
    const { series, zero } = data.curves[which];
    return Plot.plot({
      width, height: 230, marginLeft: 48, marginBottom: 42, marginRight: 12, style: looks,
      x: { label: "step", ticks: 5, tickFormat: "d" },
      y: { label: null, grid: true, nice: true, ticks: 5, zero },
      marks: data.runs.map(({ name, tone }) => {
        const points = series.filter((point) => point.run === name);
        const k = points.length ? points[0].window : 1;
        return Plot.lineY(points, Plot.windowY({ k, anchor: "middle", strict: false }, { x: "step", y: "value", stroke: `var(--${tone})`, strokeWidth: 2.5 }));
      }),
    });
  }

  for (const which of Object.keys(data.curves)) {
    const place = document.querySelector(`#curve-${CSS.escape(which)} .drawing`);
    let last = 0;
    const redraw = () => {
      const width = Math.floor(place.clientWidth);
      if (!width || width === last) return;
      last = width;
      const drawn = chart(which, width);
      for (const part of [drawn, ...drawn.querySelectorAll("[aria-label]")]) part.removeAttribute("aria-label");
      place.replaceChildren(drawn);
    };
    redraw();
    new ResizeObserver(redraw).observe(place);
  }
})();
