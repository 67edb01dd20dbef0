// Exports of the rows that are filtered: JSON Lines as they were dropped, and CSV for a spreadsheet.
(function () {
  "use strict";
  const report = globalThis.tunedropReport;
  if (!report) return;
  const { index, texts } = report;

  const NUMBER = /^[-+]?\d+(\.\d+)?$/;
  // A spreadsheet takes a cell that begins so for a formula, also behind white space; an apostrophe makes it a text.
  const FORMULA = /^[\s\u0000]*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;
  function cell(value) {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  }

  function csv(rows) {
    const slices = index.slices.map((slice) => slice.field);
    const names = index.names;
    const head = ["question", "answer", "file", "line", "state", ...slices,
      ...names.flatMap((name) => [`${name} reward`, `${name} answer`, `${name} grader`])];
    const lines = [head.map(cell).join(",")];
    for (const row of rows) {
      const told = texts.get(row);
      const cells = [report.promptOf(told), report.referenceOf(told), index.file, report.lineOf(row) ?? row + 1,
        report.STATES[report.state(row)], ...slices.map((_, place) => report.label(place, row))];
      names.forEach((_, candidate) => {
        const answer = told[4].find((each) => each[0] === candidate);
        cells.push(report.reward(candidate, row), answer ? answer[2] : "", answer ? answer[7] : "");
      });
      lines.push(cells.map(cell).join(","));
    }
    return lines.join("\r\n") + "\r\n";
  }

  const jsonl = (rows) => rows.map((row) => texts.get(row)[1]).join("\n") + (rows.length ? "\n" : "");

  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // Rows to fill a training set up with: those that came right first, since they were hard, then any that are right.
  report.fillUp = function (rows, least) {
    const taken = new Set(rows);
    const more = [];
    for (const state of ["g", "r", "l", "w", "u"]) {
      for (let row = 0; row < index.rows && rows.length + more.length < least; row += 1) {
        if (!taken.has(row) && report.state(row) === state) { taken.add(row); more.push(row); }
      }
    }
    return [...rows, ...more].sort((one, other) => one - other);
  };

  // Give the rows as a file; how many of them could not be written, since the page has not their whole text.
  report.exported = async function (kind, rows) {
    await report.want(rows);
    const whole = rows.filter((row) => texts.has(row) && (kind === "csv" || texts.get(row)[1] !== null));
    if (kind === "csv") save("rows.csv", "text/csv;charset=utf-8", `\uFEFF${csv(whole)}`);
    else save("train.jsonl", "application/jsonl", jsonl(whole));
    return rows.length - whole.length;
  };
})();
