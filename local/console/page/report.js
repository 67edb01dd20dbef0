// A run's report, in a frame with an origin of its own: nothing in it can act for the console.
import { html } from "./html.js";

export function Report({ id }) {
  return html`
    <p class="back"><a href="#/runs/${id}">${id}</a></p>
    <div class="head">
      <h1 tabindex="-1">Report</h1>
      <a class="button" href="/documents/${id}/report" target="_blank" rel="noopener">Open in a tab of its own</a>
    </div>
    <iframe class="report" title="Report of run ${id}" src="/documents/${id}/report" sandbox="allow-scripts" referrerpolicy="no-referrer"></iframe>`;
}
