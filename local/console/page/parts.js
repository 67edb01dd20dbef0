// What several views show: outcomes, refusals, findings, questions.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { counted, signed } from "./format.js";

const OUTCOMES = {
  improved: ["good", "▲", "Improved"],
  regressed: ["bad", "▼", "Regressed"],
  tied: ["even", "＝", "Tied"],
  RUNNING: ["live", "●", "Running"],
  SUCCEEDED: ["good", "✓", "Succeeded"],
  REJECTED: ["bad", "✕", "Rejected"],
  FAILED: ["bad", "✕", "Failed"],
  CANCELLED: ["", "■", "Cancelled"],
};

export function Outcome({ run }) {
  const [tone, mark, text] = OUTCOMES[run.status === "SUCCEEDED" ? run.verdict || run.status : run.status] || ["", "", run.status];
  return html`<span class="outcome ${tone}"><span class="mark" aria-hidden="true">${mark}</span>${text}</span>`;
}

export function Difference({ value }) {
  if (value === null || value === undefined) return html`<span class="quiet">–</span>`;
  return html`<span class="number ${value > 0 ? "good" : value < 0 ? "bad" : ""}">${signed(value)}</span>`;
}

export function Labels({ labels }) {
  return Object.entries(labels).map(([name, value]) => html`<span class="label">${name}: ${value}</span>`);
}

export function Simulated({ runs }) {
  if (!runs.some((run) => run.simulated)) return null;
  return html`<p class="banner">Simulated: no service trained anything, and the figures say nothing about real models.</p>`;
}

export function Trouble({ error }) {
  if (!error) return null;
  return html`<div class="trouble" role="alert">
    <strong>${error.title || "Something went wrong"}</strong>
    <p>${error.detail || error.message}</p>
    ${error.errors?.length > 0 && html`<ul>${error.errors.map((each) => html`<li><code>${each.field}</code>: ${each.expected}</li>`)}</ul>`}
  </div>`;
}

const TONES = { error: "bad", stop: "bad", critical: "bad", warning: "even" };

export function Findings({ findings }) {
  return html`<ul class="findings">${findings.map((each) => {
    const severity = String(each.severity || "note").toLowerCase();
    const place = [each.file, each.line != null && `line ${each.line}`, each.step != null && `step ${each.step}`].filter(Boolean);
    return html`<li class=${TONES[severity] || ""}>
      <p><span class="tag">${severity}</span> ${place.length > 0 && html`<strong class="where">${place.join(", ")}</strong>`} ${each.message}</p>
      ${(each.advice || each.hint) && html`<p class="quiet">${each.advice || each.hint}</p>`}
      ${each.evidence && html`<pre>${typeof each.evidence === "string" ? each.evidence : JSON.stringify(each.evidence, null, 1)}</pre>`}
    </li>`;
  })}</ul>`;
}

export const findingsTold = (found) => (found === null ? "not looked for yet" : counted(found, "finding"));

export const titleOf = (heading) => `${heading} · Tunedrop`;

const MOST_REASON_CHARACTERS = 500;

// A question that waits for an answer; Escape is no. `asksWhy`: a reason may be given, which `onYes` gets.
export function Question({ title, text, yes, danger, asksWhy, onYes, onNo }) {
  const dialog = useRef(null);
  const no = useRef(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    dialog.current.showModal();
    no.current.focus();
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby="question" onClose=${onNo}>
    <h2 id="question">${title}</h2>
    <p>${text}</p>
    ${asksWhy && html`<label class="why">Reason (you may leave it out)
      <input type="text" maxlength=${MOST_REASON_CHARACTERS} value=${why} onInput=${(event) => setWhy(event.target.value)} /></label>`}
    <div class="row">
      <button type="button" class=${danger ? "danger" : "main"} onClick=${() => { dialog.current.close(); onYes(why.trim()); }}>${yes}</button>
      <button type="button" ref=${no} onClick=${() => dialog.current.close()}>Cancel</button>
    </div>
  </dialog>`;
}

export function Facts({ facts }) {
  const told = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return html`<dl class="facts">${told.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
