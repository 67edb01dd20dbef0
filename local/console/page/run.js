// One run as it goes: its stages, curves and findings, and what a person can decide about it.
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.js";
import { ask } from "./api.js";
import { usePolling } from "./polling.js";
import { Curve, pointsOf } from "./charts.js";
import { Difference, Facts, Findings, Labels, Outcome, Question, Simulated, Trouble, findingsTold, titleOf } from "./parts.js";
import { Rehearsal } from "./rehearsal.js";
import { count, counted, dollars, lasted, moment, reward, share, signed } from "./format.js";

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 30;
const SLOWER = 1.15;

export function Run({ id, about }) {
  const [run, setRun] = useState(null);
  const [steps, setSteps] = useState([]);
  const [findings, setFindings] = useState(null);
  const [problem, setProblem] = useState(null);
  const [wish, setWish] = useState(0);
  const [pace] = useState({ seconds: FIRST_SECONDS, looked: "" });

  usePolling(async (signal) => {
    const seen = await ask(`/api/runs/${id}`, { signal });
    setRun(seen);
    const known = steps.length ? steps[steps.length - 1].step : 0;
    if ((seen.training?.steps || 0) > known || (seen.status !== "RUNNING" && seen.training && !steps.length)) {
      setSteps([...steps, ...await stepsAfter(id, known, signal)]);
    }
    const found = JSON.stringify([seen.findings, seen.status]);
    if (found !== pace.looked) {
      setFindings(await ask(`/api/runs/${id}/findings`, { signal }));
      pace.looked = found;
      pace.seconds = FIRST_SECONDS;
    }
    if (seen.status !== "RUNNING" && seen.promotion?.state !== "waiting" && !settling(seen)) return null;
    pace.seconds = Math.min(LONGEST_SECONDS, pace.seconds * SLOWER);
    return pace.seconds;
  }, setProblem, [id, wish]);

  useEffect(() => { document.title = titleOf(run?.name || id); }, [run?.name]);

  // The heading stays the same element, as the focus is there.
  const head = html`
    <p class="back"><a href="#/">Runs</a></p>
    <div class="head">
      <h1 tabindex="-1">${run?.name || id}</h1>
      ${run && html`<${Decisions} run=${run} onDecided=${() => { pace.seconds = FIRST_SECONDS; setWish(wish + 1); }} onProblem=${setProblem} />`}
    </div>`;
  if (run === null) return html`${head}<${Trouble} error=${problem} />${!problem && html`<p class="quiet" role="status">Loading …</p>`}`;
  return html`${head}
    <p class="sub"><code>${run.run_id}</code> <span>${run.team}</span> <${Labels} labels=${run.labels} /></p>
    <${Simulated} runs=${[run]} />
    <${Trouble} error=${problem} />
    <section class="result" aria-label="Result">
      <div><${Outcome} run=${run} />${run.difference !== null && html`<span class="big"><${Difference} value=${run.difference} /></span>`}</div>
      ${run.evaluation && html`<p class="number">Mean reward ${reward(run.evaluation.base.mean_reward)} → ${reward(run.evaluation.tuned.mean_reward)}, interval of the difference ${signed(run.evaluation.ci_low)} to ${signed(run.evaluation.ci_high)}, ${counted(run.evaluation.rows, "test row")}</p>`}
      <p role="status">${run.reason ? `${run.reason.error}: ${run.reason.message}` : run.progress}</p>
      <${Promotion} run=${run} />
    </section>
    ${run.notice && html`<section aria-labelledby="notice"><h2 id="notice">Notice</h2><${Notice} notice=${run.notice} /></section>`}
    <div class="columns">
      <section aria-labelledby="stages"><h2 id="stages">Stages</h2><${Stages} run=${run} stages=${about.stages} /></section>
      <section aria-labelledby="facts"><h2 id="facts">Facts</h2><${RunFacts} run=${run} /></section>
    </div>
    ${steps.length > 0 && html`<section aria-labelledby="training"><h2 id="training">Training</h2><${Curves} steps=${steps} curves=${about.curves} found=${findings?.training || []} /></section>`}
    ${findings?.rehearsal_link && html`<${Rehearsal} id=${id} />`}
    <section aria-labelledby="findings"><h2 id="findings">Findings</h2><${FindingsOfRun} run=${run} findings=${findings} /></section>`;
}

// A run that has ended, and whose promotion or notice is still on its way.
const settling = (run) => (run.notice && !run.notice.published_at) || (run.verdict === "improved" && run.promotion !== null && run.promotion.state === null);

async function stepsAfter(id, after, signal) {
  const steps = [];
  for (let next = after; next !== null;) {
    const told = await ask(`/api/runs/${id}/metrics?after=${next}`, { signal });
    steps.push(...told.steps);
    next = told.next_after;
  }
  return steps;
}

function Decisions({ run, onDecided, onProblem }) {
  const [question, setQuestion] = useState(null);
  const [busy, setBusy] = useState(false);
  const decide = (word) => async (why) => {
    setQuestion(null);
    setBusy(true);
    try {
      const query = why ? `?${new URLSearchParams({ reason: why })}` : "";
      await ask(`/api/runs/${run.run_id}/${word}${query}`, { method: "POST" });
      onProblem(null);
    } catch (error) {
      onProblem(error);
    }
    setBusy(false);
    onDecided();
  };
  const questions = {
    stop: { title: `Stop ${run.name}?`, text: "Its training job is cancelled, and the run cannot go on afterwards.", yes: "Stop the run", danger: true },
    approve: { title: "Approve the promotion?", text: `${run.promotion?.parameter} receives the id of the tuned model.`, yes: "Approve", asksWhy: true },
    reject: { title: "Reject the promotion?", text: `${run.promotion?.parameter} stays as it is.`, yes: "Reject", danger: true, asksWhy: true },
  };
  const button = (word, text, style = "") => html`<button type="button" class=${style} disabled=${busy} onClick=${() => setQuestion(word)}>${text}</button>`;
  return html`<div class="row">
    ${run.promotion?.state === "waiting" && html`${button("approve", "Approve the promotion", "main")}${button("reject", "Reject", "danger")}`}
    ${run.report_uri && html`<a class="button" href="#/runs/${run.run_id}/report">Report</a>`}
    ${run.status === "RUNNING" && button("stop", "Stop", "danger")}
    ${question && html`<${Question} ...${questions[question]} onYes=${decide(question)} onNo=${() => setQuestion(null)} />`}
  </div>`;
}

const PROMOTIONS = {
  waiting: "The promotion waits for a person's approval.",
  done: "The promotion is done.",
  rejected: "The promotion was rejected.",
  rolled_back: "The model was promoted, and the one before it was put back.",
  expired: "Nobody approved the promotion in time.",
  failed: "The promotion failed.",
};

const DECISIONS = {
  approved: "Approved",
  rejected: "Rejected",
  promoted: "Promoted",
  not_promoted: "Not promoted",
  expired: "Expired",
  failed: "Failed",
  rolled_back: "Rolled back",
};

function Promotion({ run }) {
  if (!run.promotion?.state) return null;
  const { state, parameter, asked, asked_why: whyAsked, decisions } = run.promotion;
  return html`<p role="status">${PROMOTIONS[state] || state} <code>${parameter}</code></p>
    ${whyAsked && html`<p class="quiet">${asked ? "A person is asked" : "Nobody is asked"}: ${whyAsked}.</p>`}
    ${(decisions || []).map(({ what, by, at, reason }) => html`<p class="quiet">${DECISIONS[what] || what} by <code>${by}</code>, ${moment(at)}${reason && html`: <q>${reason}</q>`}</p>`)}`;
}

// What the subscribers of the stack's topic are told of the run's end.
function Notice({ notice }) {
  return html`<p>${notice.headline}</p>
    <p>${notice.next}</p>
    <p class="quiet">${notice.published_at ? `Published ${moment(notice.published_at)}` : "On its way to the topic"}, with the subject “${notice.subject}”.</p>`;
}

// Their states work again and again until they are over: the run is in such a stage while it names it.
const AGAIN = new Set(["AwaitTurn", "PollJob"]);

function Stages({ run, stages }) {
  const last = stages.reduce((found, stage, place) => (stage.name in run.reached ? place : found), -1);
  const shown = stages.filter((stage) => !stage.optional || stage.name in run.reached || (stage.name === "AskForApproval" && run.promotion?.state === "waiting"));
  const next = run.status !== "RUNNING" ? null : AGAIN.has(run.state) ? run.state : stages.slice(last + 1).find((stage) => !stage.optional)?.name;
  return html`<ol class="stages">${shown.map((stage) => {
    const at = run.reached[stage.name];
    const passed = at || stages.indexOf(stage) < last || run.status === "SUCCEEDED";
    const waits = stage.name === "AskForApproval" && run.promotion?.state === "waiting";
    const state = stage.name === next || waits ? "now" : passed ? "done" : run.status === "RUNNING" ? "ahead" : "never";
    const words = { now: "at work", done: "done", ahead: "to come", never: "not reached" };
    return html`<li class=${state} aria-current=${state === "now" ? "step" : undefined}>
      <span class="dot" aria-hidden="true"></span><span>${stage.title}</span>
      <span class="small number">${at && state !== "now" ? moment(at) : words[state]}</span>
    </li>`;
  })}</ol>`;
}

function RunFacts({ run }) {
  const rows = run.dataset.rows !== null && `${count(run.dataset.rows)} training, ${count(run.dataset.test_rows || 0)} test`;
  const training = run.training && [run.training.status, run.training.steps !== null && `step ${run.training.steps}${run.training.total_steps ? ` of ${run.training.total_steps}` : ""}`].filter(Boolean).join(", ");
  const rehearsed = run.rehearsal && `mean reward ${reward(run.rehearsal.mean_reward)}, ${share(run.rehearsal.groups_with_signal)} of prompts give a signal`;
  return html`<${Facts} facts=${[
    ["Base model", run.base_model],
    ["Trained on", [run.trained_on, run.weights && `${run.weights.name} (${run.weights.licence})`].filter(Boolean).join(", ")],
    ["Tuned model", run.tuned_model && html`<code>${run.tuned_model}</code>`],
    ["Grader", run.grader],
    ["Rows", rows || null],
    ["Rehearsal", rehearsed],
    ["Turn to train", run.turn && `number ${run.turn.place} of ${run.turn.waiting}`],
    ["Turn expected", run.turn?.turn_at && moment(run.turn.turn_at)],
    ["Training", training],
    ["Job", run.training?.job_id && html`<code>${run.training.job_id}</code>`],
    ["Cost of the training", run.dollars !== null && `${dollars(run.dollars)} by the recipe's prices`],
    ["Expected end of training", run.estimated_training_end && moment(run.estimated_training_end)],
    ["Started", moment(run.started_at)],
    ["Took", run.finished_at && lasted(run.started_at, run.finished_at)],
    ["Dataset", run.dataset.uri && html`<code>${run.dataset.uri}</code>`],
  ]} />`;
}

function Curves({ steps, curves, found }) {
  const flags = found.filter((each) => each.step != null).map((each) => ({ step: each.step, message: each.message }));
  return html`<div class="grid">${curves.map((curve) => {
    const points = pointsOf(steps, curve);
    return points.length > 0 && html`<${Curve} key=${curve.id} curve=${curve} series=${[{ name: curve.title, points }]} flags=${flags} />`;
  })}</div>`;
}

function FindingsOfRun({ run, findings }) {
  const parts = [["dataset", "Dataset"], ["rehearsal", "Rehearsal"], ["training", "Training"]];
  return html`${parts.map(([part, title]) => html`<h3>${title} <span class="quiet">${findingsTold(run.findings[part])}</span></h3>
    ${findings?.[part]?.length > 0 && html`<${Findings} findings=${findings[part]} />`}
    ${part === "dataset" && findings?.dataset_link && run.findings.dataset > 0 && html`<p><a href=${findings.dataset_link} target="_blank" rel="noopener">All findings of the dataset (JSON)</a></p>`}`)}`;
}
