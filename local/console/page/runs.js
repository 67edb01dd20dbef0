// The list of runs, page by page as the API gives them.
import { useState } from "preact/hooks";
import { html } from "./html.js";
import { ask } from "./api.js";
import { usePolling } from "./polling.js";
import { Difference, Labels, Outcome, Trouble } from "./parts.js";
import { dollars, lasted, moment, shortModel } from "./format.js";

const PAGE = 50;
const MOST_EMPTY = 20;
const EVERY_SECONDS = 10;
const MOST_COMPARED = 5;
const RUN_ID = /^[a-z0-9-]+-[0-9a-f]{16}$/;
const STATUSES = ["RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"];

// What was asked for last, so that "back" finds it again. It is gone with the page.
const kept = { search: "", status: "", pages: [null], chosen: [] };

// A page of the list. With filters the API's pages may be short or empty: it goes on until there is something to show.
async function pageOf({ search, status }, from, signal) {
  const runs = [];
  let page = from;
  for (let asked = 0; asked < MOST_EMPTY; asked += 1) {
    const query = new URLSearchParams({ limit: String(PAGE) });
    for (const [key, value] of Object.entries({ search, status, page })) if (value) query.set(key, value);
    const told = await ask(`/api/runs?${query}`, { signal });
    runs.push(...told.runs);
    page = told.next;
    if (page === null || runs.length >= PAGE) break;
  }
  return { runs, next: page };
}

export function Runs({ about }) {
  const [filter, setFilter] = useState({ search: kept.search, status: kept.status });
  const [typed, setTyped] = useState(kept.search);
  const [pages, setPages] = useState(kept.pages);
  const [chosen, setChosen] = useState(kept.chosen);
  const [list, setList] = useState(null);
  const [problem, setProblem] = useState(null);
  Object.assign(kept, { ...filter, pages, chosen });
  const from = pages[pages.length - 1];
  usePolling(async (signal) => {
    setList(await pageOf(filter, from, signal));
    // Only the first page changes by itself.
    return from === null ? EVERY_SECONDS : null;
  }, setProblem, [filter, from]);

  const find = (change) => {
    if (RUN_ID.test(change.search || "")) {
      location.hash = `#/runs/${change.search}`;
      return;
    }
    setList(null);
    setPages([null]);
    setFilter({ ...filter, ...change });
  };
  const turn = (to) => { setList(null); setPages(to); };
  const choose = (id, wanted) => setChosen(wanted ? [...chosen, id] : chosen.filter((each) => each !== id));
  const titles = Object.fromEntries(about.stages.map((stage) => [stage.name, stage.title]));
  const filtered = Boolean(filter.search || filter.status);

  return html`
    <div class="head">
      <h1 tabindex="-1">Runs</h1>
      <a class="button main" href="#/new">New run</a>
    </div>
    <form class="filters" role="search" onSubmit=${(event) => { event.preventDefault(); find({ search: typed.trim() }); }}>
      <label>Name <input type="search" value=${typed} placeholder="a part, or an id" onInput=${(event) => setTyped(event.target.value)} /></label>
      <label>State <select value=${filter.status} onChange=${(event) => find({ status: event.target.value })}>
        <option value="">all</option>
        ${STATUSES.map((each) => html`<option value=${each}>${each.toLowerCase()}</option>`)}
      </select></label>
      <button type="submit">Search</button>
      ${filtered && html`<button type="button" class="plain" onClick=${() => { setTyped(""); find({ search: "", status: "" }); }}>Clear</button>`}
    </form>
    <${Trouble} error=${problem} />
    ${chosen.length > 0 && html`<div class="bar" role="status">
      <span>${chosen.length} chosen</span>
      ${chosen.length > 1
        ? html`<a class="button main" href="#/compare/${chosen.join(",")}">Compare ${chosen.length} runs</a>`
        : html`<span class="quiet">Choose up to ${MOST_COMPARED} to compare them.</span>`}
      <button type="button" class="plain" onClick=${() => setChosen([])}>Clear</button>
    </div>`}
    ${list === null && !problem && html`<p class="quiet" role="status">Loading …</p>`}
    ${list?.runs.length === 0 && html`<${Nothing} filtered=${filtered} />`}
    ${list?.runs.length > 0 && html`<table class="runs">
      <caption class="unseen">Runs, the newest first</caption>
      <thead><tr>
        <th scope="col"><span class="unseen">Choose</span></th><th scope="col">Run</th><th scope="col">Outcome</th>
        <th scope="col" class="right">Difference</th><th scope="col">Model</th><th scope="col">Team and labels</th><th scope="col" class="right">Cost</th><th scope="col">Started</th>
      </tr></thead>
      <tbody>${list.runs.map((run) => html`<tr key=${run.run_id}>
        <td class="pick"><input type="checkbox" aria-label="Choose ${run.run_id} to compare" checked=${chosen.includes(run.run_id)}
          disabled=${!chosen.includes(run.run_id) && chosen.length >= MOST_COMPARED} onChange=${(event) => choose(run.run_id, event.target.checked)} /></td>
        <th scope="row"><a href="#/runs/${run.run_id}">${run.name}</a><span class="small id">${run.run_id}</span></th>
        <td><${Outcome} run=${run} />${run.status === "RUNNING" && titles[run.state] && html`<span class="small">after: ${titles[run.state]}</span>`}</td>
        <td class="right" data-name="Difference"><${Difference} value=${run.difference} /></td>
        <td data-name="Model">${run.base_model ? shortModel(run.base_model) : "–"}${run.simulated ? html`<span class="small">simulated</span>` : run.trained_by === "local" && html`<span class="small">${run.trained_on}</span>`}</td>
        <td data-name="Team"><span>${run.team}</span> <${Labels} labels=${run.labels} /></td>
        <td class="right" data-name="Cost">${run.dollars === null ? html`<span class="quiet">–</span>` : dollars(run.dollars)}</td>
        <td data-name="Started"><span class="number">${moment(run.started_at)}</span>${run.finished_at && html`<span class="small number">took ${lasted(run.started_at, run.finished_at)}</span>`}</td>
      </tr>`)}</tbody>
    </table>`}
    ${list && (pages.length > 1 || list.next) && html`<nav class="pages" aria-label="Pages of the list">
      <button type="button" disabled=${pages.length < 2} onClick=${() => turn(pages.slice(0, -1))}>Newer</button>
      <span>Page ${pages.length}</span>
      <button type="button" disabled=${!list.next} onClick=${() => turn([...pages, list.next])}>Older</button>
    </nav>`}`;
}

function Nothing({ filtered }) {
  if (filtered) return html`<p class="empty">No run matches.</p>`;
  return html`<div class="empty"><p>There are no runs yet.</p><p><a class="button main" href="#/new">Drop a dataset</a></p></div>`;
}
