// A place to drop a dataset: its findings at once, and a run from it.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { ask, newKey, sendFile } from "./api.js";
import { Findings, Trouble } from "./parts.js";
import { bytes, counted } from "./format.js";
import { filesOfDrop, sorted } from "./dropped.js";

const CHECK_SECONDS = [0.5, 1, 1, 2];
const LATER_SECONDS = 4;

export function NewRun() {
  const [dropped, setDropped] = useState(null);
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState(null);
  const take = async (files) => {
    setProblem(null);
    const found = sorted(files);
    if (found.recipe) found.recipe.text = await found.recipe.file.text();
    if (found.problem) setProblem({ title: "This is no dataset yet", detail: found.problem });
    setDropped(found.problem ? null : { ...found, at: Date.now() });
  };
  const drop = async (event) => {
    event.preventDefault();
    setOver(false);
    take(await filesOfDrop(event.dataTransfer));
  };
  return html`
    <h1 tabindex="-1">New run</h1>
    <div class="drop ${over ? "over" : ""}" onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
      <p><strong>Drop a folder or files here</strong></p>
      <p class="quiet"><code>train.jsonl</code>, and if you have them <code>test.jsonl</code> and <code>recipe.yaml</code>. Nothing starts until you say so.</p>
      <div class="row">
        <label class="button">Choose files<input class="unseen" type="file" multiple onChange=${(event) => { take([...event.target.files]); event.target.value = ""; }} /></label>
        <label class="button">Choose a folder<input class="unseen" type="file" webkitdirectory onChange=${(event) => { take([...event.target.files]); event.target.value = ""; }} /></label>
      </div>
    </div>
    <${Trouble} error=${problem} />
    ${dropped && html`<${Dataset} key=${dropped.at} dropped=${dropped} />`}`;
}

// The dataset that was dropped, from its check to its run.
function Dataset({ dropped }) {
  const [shares, setShares] = useState({});
  const [uploads, setUploads] = useState(null);
  const [recipe, setRecipe] = useState(dropped.recipe?.text || "");
  const [checked, setChecked] = useState(null);
  const [problem, setProblem] = useState(null);
  const [checking, setChecking] = useState("");
  const ended = useRef(new AbortController());
  const result = useRef(null);

  const check = async (references, text) => {
    setChecked(null);
    setChecking("Checking every row …");
    const body = { ...references, ...(text.trim() ? { recipe_text: text } : {}) };
    const { signal } = ended.current;
    let told = await ask("/api/validations", { body, signal });
    for (let look = 0; told.status === "RUNNING"; look += 1) {
      await new Promise((resolve) => { setTimeout(resolve, 1000 * (CHECK_SECONDS[look] ?? LATER_SECONDS)); });
      told = await ask(`/api/validations/${told.validation_id}`, { signal });
    }
    setChecking("");
    setChecked({ ...told, recipe: text });
  };
  const guarded = async (work) => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      if (error.name !== "AbortError") setProblem(error);
      setChecking("");
    }
  };
  useEffect(() => {
    const controller = new AbortController();
    ended.current = controller;
    guarded(async () => {
      const references = {};
      for (const [part, file] of [["dataset", dropped.train], ["test", dropped.test]]) {
        if (!file) continue;
        setChecking(`Uploading ${file.name} …`);
        references[part] = await sendFile(file, (share) => setShares((before) => ({ ...before, [part]: share })), controller.signal);
      }
      setUploads(references);
      await check(references, recipe);
    });
    return () => controller.abort();
  }, []);
  useEffect(() => { if (checked) result.current?.focus(); }, [checked]);

  const row = (part, file) => file && html`<li><code>${file.name}</code> <span class="quiet number">${bytes(file.size)}</span>
    ${part && shares[part] !== undefined && shares[part] < 1 && html`<progress value=${shares[part]} max="1" aria-label="Upload of ${file.name}"></progress>`}</li>`;
  return html`
    <section aria-labelledby="files"><h2 id="files">Files</h2>
      <ul class="files">${row("dataset", dropped.train)}${row("test", dropped.test)}${row(null, dropped.recipe?.file)}</ul>
      ${dropped.leftOut.length > 0 && html`<p class="quiet">Left out: ${dropped.leftOut.join(", ")}</p>`}
      ${dropped.leftOut.includes("grader.py") && html`<p class="banner" role="status">A stack takes no grader from a folder. Deploy <code>grader.py</code> and name it in the recipe (docs/own-graders.md); otherwise the recipe's own grader is used.</p>`}
      <details open=${dropped.recipe !== null}><summary>Recipe</summary>
        <label for="recipe" class="quiet">What recipe.yaml says; every field has a default.</label>
        <textarea id="recipe" rows="8" spellcheck="false" value=${recipe} onInput=${(event) => setRecipe(event.target.value)}></textarea>
        ${uploads && checked && recipe !== checked.recipe && html`<button type="button" onClick=${() => guarded(() => check(uploads, recipe))}>Check again</button>`}
      </details>
      ${checking && html`<p class="quiet" role="status">${checking}</p>`}
      <${Trouble} error=${problem} />
    </section>
    ${checked && html`<section aria-labelledby="check"><h2 id="check" tabindex="-1" ref=${result}>${titleOf(checked)}</h2><${Checked} checked=${checked} /></section>`}
    ${checked?.valid && recipe === checked.recipe && html`<${Start} name=${dropped.name} references=${uploads} recipe=${recipe} />`}`;
}

function titleOf(checked) {
  if (checked.reason) return `The check came to no result: ${checked.reason.error}`;
  return checked.valid ? `Valid: ${counted(checked.rows, "row")}` : "Not valid";
}

function Checked({ checked }) {
  const found = checked.findings || [];
  return html`
    ${checked.reason && html`<p>${checked.reason.message}</p>`}
    ${!checked.reason && found.length === 0 && html`<p>Nothing was found.</p>`}
    ${found.length > 0 && html`<${Findings} findings=${found} />`}
    ${found.length > 0 && checked.findings_link && html`<p><a href=${checked.findings_link} target="_blank" rel="noopener">All findings (JSON)</a></p>`}`;
}

function Start({ name, references, recipe }) {
  const [wanted, setWanted] = useState(name);
  const [labels, setLabels] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  // The same wish has the same key, however often it is sent: it starts one run.
  const sent = useRef({ body: "", key: "" });
  const start = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    const body = { name: wanted, ...references, ...(recipe.trim() ? { recipe_text: recipe } : {}) };
    const pairs = labels.split(",").map((each) => each.trim()).filter(Boolean).map((each) => each.split("="));
    if (pairs.length > 0) body.labels = Object.fromEntries(pairs.map(([label, ...value]) => [label.trim(), value.join("=").trim()]));
    const text = JSON.stringify(body);
    if (sent.current.body !== text) sent.current = { body: text, key: newKey() };
    try {
      const run = await ask("/api/runs", { body, key: sent.current.key });
      location.hash = `#/runs/${run.run_id}`;
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return html`<section aria-labelledby="start"><h2 id="start">Start a run</h2>
    <form class="start" onSubmit=${start}>
      <label>Name <input required maxlength="100" value=${wanted} onInput=${(event) => setWanted(event.target.value)} /></label>
      <label>Labels, in place of the recipe's <input placeholder="team=search, ticket=ML-17" value=${labels} onInput=${(event) => setLabels(event.target.value)} /></label>
      <button type="submit" class="main" disabled=${busy}>Start the run</button>
    </form>
    <${Trouble} error=${problem} /></section>`;
}
