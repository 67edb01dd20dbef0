// The page's frame, and which view it shows. The address after # names the view, so each can be linked to.
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { ask } from "./api.js";
import { Trouble, titleOf } from "./parts.js";
import { Runs } from "./runs.js";
import { Run } from "./run.js";
import { Report } from "./report.js";
import { NewRun } from "./new.js";
import { Compare } from "./compare.js";

const ID = "[a-z0-9][a-z0-9-]{0,46}";
const VIEWS = [
  [new RegExp(`^/runs/(${ID})$`), (about, id) => html`<${Run} key=${id} id=${id} about=${about} />`],
  [new RegExp(`^/runs/(${ID})/report$`), (_about, id) => html`<${Report} key=${id} id=${id} />`],
  [new RegExp(`^/compare/(${ID}(?:,${ID}){1,4})$`), (about, ids) => html`<${Compare} key=${ids} ids=${ids.split(",")} about=${about} />`],
  [/^\/new$/, () => html`<${NewRun} />`],
  [/^\/?$/, (about) => html`<${Runs} about=${about} />`],
];

const here = () => location.hash.replace(/^#/, "");

function App() {
  const [path, setPath] = useState(here());
  const [about, setAbout] = useState(null);
  const [problem, setProblem] = useState(null);
  const main = useRef(null);
  const first = useRef(true);
  useEffect(() => {
    const moved = () => setPath(here());
    addEventListener("hashchange", moved);
    ask("/about").then(setAbout, setProblem);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    // A new view is a new page: the focus goes to its heading, and a screen reader reads that.
    const heading = main.current?.querySelector("h1");
    if (heading) document.title = titleOf(heading.textContent);
    if (!first.current) {
      heading?.focus();
      scrollTo(0, 0);
    }
    first.current = about === null;
  }, [path, about]);
  const [view, match] = VIEWS.reduce((found, [pattern, make]) => found || (pattern.test(path) && [make, pattern.exec(path)]), null) || [];
  const current = (wanted) => (path === wanted || (wanted === "/" && path === "") ? "page" : undefined);
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.querySelector("h1")?.focus(); }}>Skip to the content</a>
    <header>
      <div class="inner">
        <a class="name" href="#/"><img src="/page/icon.svg" alt="" width="24" height="24" />Tunedrop</a>
        <nav aria-label="Console">
          <a href="#/" aria-current=${current("/")}>Runs</a>
          <a href="#/new" aria-current=${current("/new")}>New run</a>
        </nav>
        ${about && html`<p class="stack" title=${about.api_url}>${about.local ? "this machine" : new URL(about.api_url).host}, ${about.region}</p>`}
      </div>
    </header>
    <main id="main" ref=${main}>
      <${Trouble} error=${problem} />
      ${about && (view ? view(about, match[1]) : html`<h1 tabindex="-1">There is no such page</h1><p><a href="#/">To the runs</a></p>`)}
    </main>`;
}

render(html`<${App} />`, document.getElementById("console"));
