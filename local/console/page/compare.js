// Two to five runs side by side: their curves in one chart, and what each came to.
import { useState } from "preact/hooks";
import { html } from "./html.js";
import { ask } from "./api.js";
import { usePolling } from "./polling.js";
import { Curve, colourOf, dashesOf, pointsOf } from "./charts.js";
import { Difference, Outcome, Simulated, Trouble } from "./parts.js";
import { count, dollars, lasted, moment, reward, share, signed } from "./format.js";

const EVERY_SECONDS = 10;
const INPUTS = new Set(["Model", "Grader", "Training rows", "Test rows"]);

export function Compare({ ids, about }) {
  const [runs, setRuns] = useState(null);
  const [problem, setProblem] = useState(null);
  usePolling(async (signal) => {
    const seen = await Promise.all(ids.map(async (id) => ({ ...await ask(`/api/runs/${id}`, { signal }), steps: await stepsOf(id, signal) })));
    setRuns(seen);
    return seen.some((run) => run.status === "RUNNING") ? EVERY_SECONDS : null;
  }, setProblem, ids);
  return html`
    <p class="back"><a href="#/">Runs</a></p>
    <div class="head"><h1 tabindex="-1">Compare ${ids.length} runs</h1></div>
    <${Trouble} error=${problem} />
    ${runs === null && !problem && html`<p class="quiet" role="status">Loading …</p>`}
    ${runs && html`<${SideBySide} runs=${runs} about=${about} />`}`;
}

async function stepsOf(id, signal) {
  const steps = [];
  for (let next = 0; next !== null;) {
    const told = await ask(`/api/runs/${id}/metrics?after=${next}`, { signal });
    steps.push(...told.steps);
    next = told.next_after;
  }
  return steps;
}

function SideBySide({ runs, about }) {
  const rows = [
    ["Outcome", (run) => html`<${Outcome} run=${run} />`],
    ["Difference", (run) => html`<${Difference} value=${run.difference} />`],
    ["Interval", (run) => run.evaluation && `${signed(run.evaluation.ci_low)} to ${signed(run.evaluation.ci_high)}`],
    ["Reward of the base model", (run) => run.evaluation && reward(run.evaluation.base.mean_reward)],
    ["Reward of the tuned model", (run) => run.evaluation && reward(run.evaluation.tuned.mean_reward)],
    ["Model", (run) => run.base_model],
    ["Grader", (run) => run.grader],
    ["Training rows", (run) => run.dataset.rows !== null && count(run.dataset.rows)],
    ["Test rows", (run) => run.dataset.test_rows !== null && count(run.dataset.test_rows)],
    ["Base model in the rehearsal", (run) => run.rehearsal && reward(run.rehearsal.mean_reward)],
    ["Prompts with a signal", (run) => run.rehearsal && share(run.rehearsal.groups_with_signal)],
    ["Steps", (run) => run.training?.steps],
    ["Cost of the training", (run) => run.dollars !== null && dollars(run.dollars)],
    ["Labels", (run) => Object.entries(run.labels).map(([name, value]) => `${name}: ${value}`).join(", ")],
    ["Started", (run) => moment(run.started_at)],
    ["Took", (run) => run.finished_at && lasted(run.started_at, run.finished_at)],
  ];
  const named = runs.map((run, at) => ({ run, name: `${at + 1}. ${run.name}` }));
  const drawn = about.curves.filter((curve) => runs.some((run) => pointsOf(run.steps, curve).length > 0));
  return html`
    <${Simulated} runs=${runs} />
    <div class="scroll" tabindex="0" role="region" aria-label="The runs side by side"><table class="side">
      <thead><tr><th scope="col"><span class="unseen">What</span></th>${named.map(({ run, name }, at) => html`<th scope="col">
        <svg class="key" viewBox="0 0 24 12" aria-hidden="true"><line x1="0" y1="6" x2="24" y2="6" stroke=${colourOf(at)} stroke-width="3" stroke-dasharray=${dashesOf(at)} /></svg><a href="#/runs/${run.run_id}">${name}</a><span class="small id">${run.run_id}</span></th>`)}</tr></thead>
      <tbody>${rows.map(([title, of]) => html`<tr><th scope="row">${title}${INPUTS.has(title) && new Set(runs.map(of)).size > 1 && html` <span class="tag">differs</span>`}</th>${runs.map((run) => html`<td>${of(run) || "–"}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${drawn.length > 0 && html`<section aria-labelledby="curves"><h2 id="curves">Training</h2>
      <div class="grid">${drawn.map((curve) => html`<${Curve} key=${curve.id} curve=${curve} height=${260} series=${named.map(({ run, name }) => ({ name, points: pointsOf(run.steps, curve) }))} />`)}</div></section>`}`;
}
