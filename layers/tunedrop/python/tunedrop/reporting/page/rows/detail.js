// One row, opened: its prompt, its reference, and what each model answered. Text is only ever set as text.
(function () {
  "use strict";
  const report = globalThis.tunedropReport;
  if (!report) return;
  const { index } = report;

  function element(tag, className, ...content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...content);
    return made;
  }

  // The text with what was searched for marked.
  function marked(tag, className, text, needle) {
    const made = element(tag, className);
    let at = 0;
    if (needle) {
      for (const found of text.matchAll(needle)) {
        if (!found[0]) break;
        made.append(text.slice(at, found.index), element("mark", "", found[0]));
        at = found.index + found[0].length;
      }
    }
    made.append(text.slice(at));
    return made;
  }

  function folded(title, text, needle, open = false) {
    const made = element("details", "fold", element("summary", "", title), marked("div", "text", text, needle));
    made.open = open || Boolean(needle && text.match(needle));
    return made;
  }

  const said = (content) => (typeof content === "string" ? content
    : Array.isArray(content) ? content.map((part) => (part && typeof part.text === "string" ? part.text : "")).filter(Boolean).join("\n") : "");

  // The row as it was dropped: its turns and its reference; null where the page has only their beginning and end.
  function parsed(told) {
    if (told[1] === null) return null;
    try { return JSON.parse(told[1]); } catch { return null; }
  }

  function promptOf(told) {
    const row = parsed(told);
    if (!row || !Array.isArray(row.messages)) return told[2];
    return row.messages.filter((turn) => turn && typeof turn === "object").map((turn) => said(turn.content)).filter(Boolean).join("\n\n");
  }

  function idOf(told) {
    const row = parsed(told);
    return row && typeof row.id === "string" && row.id.length <= 40 ? row.id : "";
  }

  function referenceOf(told) {
    const row = parsed(told);
    if (!row) return told[3];
    const reference = row.reference_answer;
    return reference === undefined || reference === null ? "" : typeof reference === "string" ? reference : JSON.stringify(reference, null, 1);
  }

  function prompt(told, needle) {
    const row = parsed(told);
    const made = element("div", "prompt");
    if (!row || !Array.isArray(row.messages)) {
      made.append(marked("div", "text", told[2], needle));
      return made;
    }
    const turns = row.messages.filter((turn) => turn && typeof turn === "object");
    for (const turn of turns) {
      if (turns.length > 1) made.append(element("h4", "", String(turn.role || "turn")));
      made.append(marked("div", "text", said(turn.content), needle));
      for (const call of Array.isArray(turn.tool_calls) ? turn.tool_calls : []) made.append(folded("Tool call", JSON.stringify(call, null, 1), needle));
    }
    if (Array.isArray(row.tools) && row.tools.length) made.append(folded(`Tools (${row.tools.length})`, JSON.stringify(row.tools, null, 1), needle));
    return made;
  }

  // A text whose fenced parts are programs or data: those have letters of one width.
  function fenced(text, needle) {
    return text.split(/(^```[\s\S]*?^```[^\S\n]*$\n?)/m).filter((piece) => piece.trim())
      .map((piece) => marked("div", piece.startsWith("```") ? "text fenced" : "text", piece.replace(/\n$/, ""), needle));
  }

  // An answer's text, its calls of tools folded away.
  function answerText(text, needle) {
    const made = element("div", "answer");
    let at = 0;
    for (const call of text.matchAll(/<tool_call>\s*([\s\S]*?)\s*<\/tool_call>/g)) {
      made.append(...fenced(text.slice(at, call.index).trim(), needle));
      made.append(folded("Tool call", call[1], needle));
      at = call.index + call[0].length;
    }
    made.append(...fenced(text.slice(at), needle));
    if (!made.hasChildNodes()) made.append(element("div", "text quiet", text ? "(an answer of nothing but blanks)" : "(an empty answer)"));
    return made;
  }

  function differenceText(before, after) {
    const made = element("div", "text difference");
    for (const [kind, text] of report.difference(before, after)) made.append(kind === "same" ? text : element(kind === "gone" ? "del" : "ins", "", text));
    return made;
  }

  function parts(list) {
    const wrong = list.filter((part) => part[1] < 1);
    const table = element("table", "parts");
    const head = element("tr", "");
    const compared = list.some((part) => part[3] || part[4]);
    const names = ["Part", "Credit", "Cost", ...(compared ? ["Right", "Given"] : [])];
    for (const name of names) { const cell = element("th", "", name); cell.scope = "col"; head.append(cell); }
    const body = element("tbody", "");
    for (const [name, credit, cost, expected, got] of list) {
      const line = element("tr", credit < 1 ? "wrong" : "");
      const first = element("th", "", name);
      first.scope = "row";
      line.append(first, element("td", "", report.short(credit)), element("td", "", cost ? `−${report.short(cost)}` : "0"));
      if (compared) line.append(element("td", "", expected), element("td", "", got));
      body.append(line);
    }
    table.append(element("thead", "", head), body);
    const scroll = element("div", "scroll", table);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "group");
    scroll.setAttribute("aria-label", "The answer part by part");
    const made = element("details", "fold", element("summary", "", `Part by part: ${wrong.length} of ${list.length} not right`), scroll);
    made.open = wrong.length > 0;
    return made;
  }

  function grade(answer) {
    if (answer[6] !== null) return `not graded: ${answer[6].replaceAll("_", " ")}`;
    const right = answer[5] === true ? "right" : answer[5] === false ? "wrong" : "not judged";
    return `${right}, reward ${report.short(answer[4])}`;
  }

  const nameOf = (candidate) => index.titles[candidate];

  function side(answer, showing, reference, needle) {
    const made = element("div", `side ${report.tone(answer[0])}`);
    const which = index.samples > 1 ? `, answer ${answer[1] + 1}` : "";
    made.append(element("h4", "", `${nameOf(answer[0])}${which}: ${grade(answer)}`));
    if (answer[3]) made.append(folded(`Thoughts (${answer[3].length.toLocaleString("en")} characters)`, answer[3], needle));
    made.append(showing === "reference" ? differenceText(reference, answer[2]) : answerText(answer[2], needle));
    if (answer[7]) made.append(marked("p", "reason", `Grader: ${answer[7]}`, needle));
    if (answer[9].length) made.append(parts(answer[9]));
    if (answer[8] !== null) made.append(element("p", "small", `${answer[8].toLocaleString("en")} tokens`));
    return made;
  }

  // `showing` is "texts", "reference" (each answer against the reference) or "models" (base to tuned).
  report.detail = function (row, told, showing, needle) {
    const made = element("div", "opened");
    if (!told) {
      made.append(element("p", "quiet", "The texts of this row are not in this page, but in the files that belong beside it. Fetch them with it: "),
        element("code", "", `tunedrop report ${report.runId} --stack STACK`));
      return made;
    }
    const reference = referenceOf(told);
    made.append(element("h3", "", "Prompt"), prompt(told, needle));
    if (reference) made.append(element("h3", "", "Reference answer"), marked("div", "text reference", reference, needle));
    const first = told[4].filter((answer) => answer[0] < 2);
    const others = told[4].filter((answer) => answer[0] >= 2);
    const former = first.find((answer) => answer[0] === 0);
    const latter = first.find((answer) => answer[0] === 1);
    made.append(element("h3", "", showing === "models" ? `${index.titles[0]} → ${index.titles[1]}, word by word` : showing === "reference" ? "Answers, against the reference" : "Answers"));
    if (showing !== "texts") {
      made.append(element("p", "small", element("del", "", "struck out"), showing === "models" ? ` is only in ${index.titles[0]}, ` : " is in the reference only, ", element("ins", "", "underlined"), showing === "models" ? ` only in ${index.titles[1]}.` : " in the answer only."));
    }
    if (showing === "models" && former && latter) made.append(differenceText(former[2], latter[2]));
    const sides = element("div", "sides");
    if (showing !== "models") sides.append(...first.map((answer) => side(answer, showing, reference, needle)));
    made.append(sides);
    if (others.length) {
      const more = element("div", "sides", ...others.map((answer) => side(answer, showing, reference, needle)));
      made.append(element("details", "fold", element("summary", "", `Other models (${others.length} ${others.length === 1 ? "answer" : "answers"})`), more));
    }
    if (!told[4].length) made.append(element("p", "quiet", "No model has an answer to this row."));
    return made;
  };
  report.promptOf = promptOf;
  report.idOf = idOf;
  report.referenceOf = referenceOf;
  report.parsed = parsed;
  report.element = element;
  report.marked = marked;
})();
