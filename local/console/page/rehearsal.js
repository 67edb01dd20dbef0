// The base model's answers in the rehearsal, with what the grader gave each.
import { useState } from "preact/hooks";
import { html } from "./html.js";
import { ask } from "./api.js";
import { Trouble } from "./parts.js";
import { reward } from "./format.js";

const SHOWN = 5;

export function Rehearsal({ id }) {
  const [document, setDocument] = useState(null);
  const [problem, setProblem] = useState(null);
  const [shown, setShown] = useState(SHOWN);
  const load = async (event) => {
    if (!event.target.open || document) return;
    try {
      setDocument(await ask(`/documents/${id}/rehearsal`));
      setProblem(null);
    } catch (error) {
      setProblem(error);
    }
  };
  const groups = document?.groups || [];
  return html`<section aria-labelledby="rehearsal"><h2 id="rehearsal">Rehearsal</h2>
    <details onToggle=${load}><summary>The base model's answers and their rewards</summary>
      <${Trouble} error=${problem} />
      ${groups.slice(0, shown).map((group) => html`<${Group} group=${group} />`)}
      ${groups.length > shown && html`<button type="button" onClick=${() => setShown(shown + SHOWN)}>Show more of ${groups.length} prompts</button>`}
    </details></section>`;
}

function Group({ group }) {
  const several = group.messages.length > 1;
  const prompt = group.messages.map((each) => (several ? `${each.role}: ${asText(each.content)}` : asText(each.content))).join("\n\n");
  return html`<article class="card">
    <p class="text">${prompt}</p>
    <ul class="answers">${group.answers.map((each) => html`<li>
      <p><span class="tag">${each.ungraded ? "not graded" : `reward ${reward(each.reward)}`}</span> <span class="quiet">${each.ungraded || each.explanation}</span></p>
      <p class="text">${each.answer || "(an empty answer)"}</p>
    </li>`)}</ul>
  </article>`;
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? "", null, 1));
