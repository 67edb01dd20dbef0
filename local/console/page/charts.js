// The training's curves, drawn with the report's chart library.
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";

const COLOURS = ["var(--one)", "var(--two)", "var(--three)", "var(--four)", "var(--five)"];
const DASHES = [null, "7,4", "2,3", "10,3,2,3", "14,5"];
export const colourOf = (place) => COLOURS[place % COLOURS.length];
export const dashesOf = (place) => DASHES[place % DASHES.length];

// One curve's points of some steps, as the report finds them: the first of its keys that a step has.
export function pointsOf(steps, curve) {
  return steps.flatMap((step) => {
    const key = curve.keys.find((each) => Number.isFinite(step[each]));
    return key ? [{ step: step.step, value: step[key] }] : [];
  });
}

// `series`: [{name, points}], at most five. `flags`: [{step, message}] of findings in the training.
export function Curve({ curve, series, flags = [], height = 220 }) {
  const place = useRef(null);
  const drawn = series.filter((each) => each.points.length > 0);
  const shown = JSON.stringify([curve.id, series.map(({ name, points }) => [name, points.length]), flags, height]);
  useEffect(() => {
    const drawing = place.current;
    let last = 0;
    const draw = () => {
      const width = Math.floor(drawing.clientWidth);
      if (width === 0 || width === last) return;
      last = width;
      const plot = plotted(width, curve, series, flags, height);
      plot.setAttribute("aria-hidden", "true"); // the label says what it shows
      drawing.replaceChildren(plot);
    };
    draw();
    const watch = new ResizeObserver(draw);
    watch.observe(drawing);
    return () => watch.disconnect();
  }, [shown]);
  return html`<figure class="chart">
    <figcaption><strong>${curve.title}</strong> <span class="quiet">${curve.note}</span></figcaption>
    <div class="drawing" role="img" aria-label=${told(curve, drawn)} ref=${place}></div>
  </figure>`;
}

function told(curve, series) {
  if (series.length === 0) return `${curve.title}: no steps yet`;
  return series.map(({ name, points }) => {
    const [first, last] = [points[0], points[points.length - 1]];
    const whose = series.length > 1 ? `${name}, ` : "";
    return `${whose}${curve.title.toLowerCase()} from ${first.value.toPrecision(3)} at step ${first.step} to ${last.value.toPrecision(3)} at step ${last.step}`;
  }).join("; ");
}

function plotted(width, curve, series, flags, height) {
  const { Plot } = globalThis;
  const all = series.flatMap(({ name, points }, at) => points.map((each) => ({ ...each, name, colour: colourOf(at) })));
  const single = series.length === 1;
  const k = Math.max(1, Math.round(Math.max(...series.map(({ points }) => points.length)) / 15));
  // Lines are told apart by dashes and numbers, too, not by their colours alone.
  const ends = single ? [] : series.map(({ points }, at) => Plot.text(points.slice(-1), {
    x: "step", y: "value", text: () => String(at + 1), dx: 9, fill: colourOf(at), fontWeight: 700,
  }));
  const lines = series.flatMap(({ points }, at) => [
    Plot.lineY(points, { x: "step", y: "value", stroke: colourOf(at), strokeOpacity: 0.35, strokeWidth: 1 }),
    Plot.lineY(points, Plot.windowY({ k, anchor: "middle", strict: false }, { x: "step", y: "value", stroke: colourOf(at), strokeWidth: 2.5, strokeDasharray: dashesOf(at) })),
    ...(points.length === 1 ? [Plot.dot(points, { x: "step", y: "value", fill: colourOf(at) })] : []),
  ]);
  return Plot.plot({
    width, height, marginLeft: 48, marginBottom: 40, marginRight: single ? 12 : 20,
    style: { background: "transparent", color: "inherit", fontSize: "12px", fontFamily: "inherit" },
    x: { label: "step", ticks: Math.min(6, Math.max(1, new Set(all.map((each) => each.step)).size)), tickFormat: "d" },
    y: { label: null, grid: true, nice: true, ticks: 5, zero: curve.zero },
    marks: [
      ...lines,
      ...ends,
      Plot.ruleX(flags, { x: "step", stroke: "var(--bad)", strokeDasharray: "4,3", title: "message" }),
      Plot.tip(all, Plot.pointerX({
        x: "step", y: "value", fill: "var(--card)", stroke: "var(--line)",
        title: (each) => `${single ? "" : `${each.name}\n`}step ${each.step}: ${each.value.toPrecision(4)}`,
      })),
    ],
  });
}
