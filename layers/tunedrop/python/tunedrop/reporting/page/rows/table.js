// The table of all rows: filters, search, order, pages; a row opens in place and has an address of its own.
(function () {
  "use strict";
  const report = globalThis.tunedropReport;
  if (!report) return;
  const { index, texts, element } = report;
  const PAGE = 20;
  const LEAST_COMMON = 20;
  const find = (id) => document.getElementById(id);
  const [low, high] = index.range;
  const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  report.runId = find("rows").dataset.run;

  const all = Array.from({ length: index.rows }, (_, row) => row);
  const STATES = { "": "all rows", fails: "what still fails (still wrong, went wrong)", ...report.STATES, cut: "truncated" };
  const inState = {
    "": () => true,
    fails: (row) => "lw".includes(report.state(row)),
    cut: report.cut,
    ...Object.fromEntries(Object.keys(report.STATES).map((state) => [state, (row) => report.state(row) === state])),
  };
  const REWARDS = {
    "": ["any", () => true],
    low: [`the lowest (${low})`, (reward) => reward !== null && reward <= low],
    between: ["in between", (reward) => reward !== null && reward > low && reward < high],
    high: [`the highest (${high})`, (reward) => reward !== null && reward >= high],
    none: ["none", (reward) => reward === null],
  };
  const change = (row) => {
    const [was, now] = [report.reward(0, row), report.reward(1, row)];
    return was === null || now === null ? 0 : now - was;
  };
  const known = (reward) => (reward === null ? Infinity : reward);
  const ORDERS = {
    file: ["as in the file", () => 0],
    tuned: [`lowest reward first (${index.titles[1]})`, (row) => known(report.reward(1, row))],
    lost: ["greatest loss first", change],
    gained: ["greatest gain first", (row) => -change(row)],
  };

  function options(select, entries) {
    select.replaceChildren(...entries.map(([value, text]) => { const made = element("option", "", text); made.value = value; return made; }));
  }
  options(find("row-state"), Object.keys(STATES).map((state) => [state, `${STATES[state]} (${all.filter(inState[state]).length.toLocaleString("en")})`]));
  options(find("row-reward"), Object.entries(REWARDS).map(([value, [text]]) => [value, text]));
  options(find("row-order"), Object.entries(ORDERS).map(([value, [text]]) => [value, text]));
  const slices = index.slices.map((slice, place) => {
    const select = element("select", "");
    options(select, [["", "all"], ...slice.labels.map((label, number) => [String(number), label])]);
    select.addEventListener("change", () => { page = 0; refresh(); });
    find("row-slices").append(element("label", "", `${slice.field} `, select));
    return { select, place, labels: slice.labels };
  });

  let page = 0;
  let filtered = all;
  let needle = null;
  let turn = 0;
  const opened = new Set();

  const searched = (row) => {
    const told = texts.get(row);
    if (!told) return false;
    const test = (text) => Boolean(text) && text.search(needle) >= 0;
    return test(report.title(row)) || test(report.idOf(told)) || test(report.promptOf(told)) || test(report.referenceOf(told))
      || told[4].some((answer) => test(answer[2]) || test(answer[3]) || test(answer[7]) || answer[9].some((part) => test(part[0])));
  };

  async function refresh() {
    const mine = (turn += 1);
    const text = find("row-search").value.trim();
    needle = text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu") : null;
    const state = inState[find("row-state").value];
    const reward = REWARDS[find("row-reward").value][1];
    const chosen = slices.filter(({ select }) => select.value !== "");
    let rows = all.filter((row) => state(row) && reward(report.reward(1, row))
      && chosen.every(({ select, place, labels }) => report.label(place, row) === labels[Number(select.value)]));
    let unread = 0;
    if (needle) {
      await report.wantAll((read) => { if (mine === turn) find("row-count").textContent = `searched ${counted(read, "row")} so far`; });
      if (mine !== turn) return;
      unread = rows.filter((row) => !texts.has(row)).length;
      rows = rows.filter(searched);
    }
    const order = find("row-order").value;
    if (order !== "file") {
      const key = new Map(rows.map((row) => [row, ORDERS[order][1](row)]));
      rows.sort((one, other) => key.get(one) - key.get(other) || one - other);
    }
    filtered = rows;
    page = Math.max(0, Math.min(page, Math.ceil(rows.length / PAGE) - 1));
    find("row-count").textContent = (rows.length ? counted(rows.length, "row") : "no row matches")
      + (unread ? `; the texts of ${counted(unread, "row")} are not in this page and were not searched` : "");
    await show(mine);
  }

  async function show(mine) {
    const rows = filtered.slice(page * PAGE, (page + 1) * PAGE);
    await report.want(rows);
    if (mine !== turn) return;
    find("row-list").replaceChildren(...rows.flatMap(lines));
    const pages = Math.max(1, Math.ceil(filtered.length / PAGE));
    find("row-page").textContent = `page ${(page + 1).toLocaleString("en")} of ${pages.toLocaleString("en")}`;
    find("row-first").disabled = find("row-back").disabled = page === 0;
    find("row-next").disabled = find("row-last").disabled = page >= pages - 1;
    find("row-pages").hidden = pages === 1;
  }

  // What all prompts begin with, such as a system message, is left out of the list: its rows would look alike.
  const flat = (told) => report.promptOf(told).replace(/\s+/g, " ");
  const common = (() => {
    let shared = null;
    for (const told of [...texts.values()].slice(0, 200)) {
      const text = flat(told);
      if (shared === null) { shared = text; continue; }
      let same = 0;
      while (same < shared.length && shared[same] === text[same]) same += 1;
      shared = shared.slice(0, same);
    }
    const end = texts.size > 1 && shared ? shared.lastIndexOf(" ") + 1 : 0;
    return end >= LEAST_COMMON ? shared.slice(0, end) : "";
  })();

  function preview(told) {
    if (!told) return "(text not in this page)";
    const text = flat(told);
    const own = common && text.startsWith(common) && text.length > common.length ? `… ${text.slice(common.length)}` : text;
    const id = report.idOf(told);
    return `${id ? `${id}: ` : ""}${own}`.slice(0, 200);
  }

  function lines(row) {
    const told = texts.get(row);
    const line = element("tr", `row ${report.STATES[report.state(row)].replace(" ", "-")}`);
    line.id = `row-${row + 1}`;
    const button = element("button", "open", report.lineOf(row) === null ? `row ${row + 1}` : `line ${report.lineOf(row)}`);
    button.type = "button";
    button.title = report.title(row);
    const head = element("th", "", button);
    head.scope = "row";
    const state = element("td", "", element("span", "tag", report.STATES[report.state(row)]));
    if (report.cut(row)) state.append(" ", element("span", "tag", "truncated"));
    const shown = element("td", "preview", report.marked("span", "", preview(told), needle));
    const rewards = [0, 1].map((candidate) => element("td", `reward ${report.tone(candidate)}`, report.short(report.reward(candidate, row))));
    rewards.forEach((cell, candidate) => { cell.dataset.of = (index.short_titles || index.titles)[candidate].toLowerCase(); });
    line.append(head, state, ...rewards, shown);
    const detail = element("tr", "detail");
    const place = element("td", "");
    place.colSpan = 5;
    detail.append(place);
    const set = (open) => {
      button.setAttribute("aria-expanded", String(open));
      detail.hidden = !open;
      if (!open) { place.replaceChildren(); return; }
      const link = element("a", "", `link to ${report.title(row)}`);
      link.href = `#row-${row + 1}`;
      const labels = index.slices.map((slice, number) => [slice.field, report.label(number, row)]).filter(([, label]) => label !== null);
      const about = element("p", "small", link, ...labels.map(([field, label]) => element("span", "label", `${field}: ${label}`)));
      place.replaceChildren(about, report.detail(row, told, find("row-showing").value, needle));
    };
    button.addEventListener("click", () => {
      if (opened.has(row)) opened.delete(row); else opened.add(row);
      set(opened.has(row));
    });
    set(opened.has(row));
    return [line, detail];
  }

  // The address of a row opens it, whatever is filtered.
  async function follow() {
    const asked = /^#row-(\d+)$/.exec(location.hash);
    const row = asked ? Number(asked[1]) - 1 : -1;
    if (row < 0 || row >= index.rows) return;
    opened.add(row);
    if (!filtered.includes(row)) {
      find("row-search").value = "";
      for (const id of ["row-state", "row-reward"]) find(id).value = "";
      for (const { select } of slices) select.value = "";
      await refresh();
    }
    page = Math.floor(filtered.indexOf(row) / PAGE);
    await show(turn);
    find(`row-${row + 1}`).scrollIntoView();
  }

  let waiting = 0;
  find("row-search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { page = 0; refresh(); }, 150);
  });
  for (const id of ["row-state", "row-reward", "row-order"]) find(id).addEventListener("change", () => { page = 0; refresh(); });
  find("row-showing").addEventListener("change", () => show(turn));
  const moves = { "row-first": () => 0, "row-back": () => page - 1, "row-next": () => page + 1, "row-last": () => Math.ceil(filtered.length / PAGE) - 1 };
  for (const [id, to] of Object.entries(moves)) find(id).addEventListener("click", () => { page = to(); show(turn); });

  const LEAST_ROWS = Number(find("rows").dataset.leastRows);
  const FILL_ROWS = Number(find("rows").dataset.fillRows);
  async function give(kind) {
    const told = find("row-export-status");
    const fill = kind === "jsonl" && find("row-fill").checked && filtered.length < FILL_ROWS;
    const rows = fill ? report.fillUp(filtered, FILL_ROWS) : filtered;
    told.textContent = `gathering ${counted(rows.length, "row")}`;
    const missing = await report.exported(kind, rows);
    told.textContent = `${counted(rows.length - missing, "row")} written to ${kind === "csv" ? "rows.csv" : "train.jsonl"}`
      + (fill ? `: ${filtered.length.toLocaleString("en")} filtered, ${(rows.length - filtered.length).toLocaleString("en")} to fill up` : "")
      + (missing ? `; ${counted(missing, "row")} left out: the page has not their whole text` : "")
      + (kind === "jsonl" && rows.length - missing < LEAST_ROWS ? `; a run needs ${LEAST_ROWS}` : "");
  }
  find("row-csv").addEventListener("click", () => give("csv"));
  find("row-jsonl").addEventListener("click", () => give("jsonl"));

  for (const link of document.querySelectorAll("a[data-state]")) {
    link.addEventListener("click", () => { find("row-state").value = link.dataset.state; page = 0; refresh(); });
  }
  addEventListener("hashchange", follow);
  refresh().then(follow);
})();
