// The rows of the test set: an index of all of them, and their texts, in the page or in files beside it.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const index = data.rows;
  if (!index) return;
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const value = new Map([...DIGITS].map((digit, place) => [digit, place]));
  const NONE = 4095;
  const number = (digits, row) => value.get(digits[2 * row]) * 64 + value.get(digits[2 * row + 1]);

  const texts = new Map();
  const keep = (rows) => { for (const row of rows) texts.set(row[0], row); };
  keep(JSON.parse(document.getElementById("row-texts").textContent));
  const inPage = texts.size;

  // A page that was opened from a folder may load a script beside it, but no data: so each file calls this function.
  globalThis.tunedropRows = keep;
  const loads = new Map();
  function load(file) {
    if (!loads.has(file[0])) {
      loads.set(file[0], new Promise((done) => {
        const script = document.createElement("script");
        script.src = `${data.rowsFolder}${file[0]}`;
        script.onload = () => { script.remove(); done(true); };
        script.onerror = () => { script.remove(); done(false); };
        document.head.append(script);
      }));
    }
    return loads.get(file[0]);
  }

  // The file that holds a row: files are in the order of their first rows.
  function fileOf(row) {
    let low = 0;
    let high = data.rowFiles.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (data.rowFiles[middle][1] <= row) low = middle; else high = middle - 1;
    }
    return data.rowFiles[low];
  }

  async function want(rows) {
    const files = new Set(rows.filter((row) => !texts.has(row)).map(fileOf).filter(Boolean));
    await Promise.all([...files].map(load));
  }

  async function wantAll(progress) {
    for (const file of data.rowFiles) {
      await load(file);
      progress(texts.size);
    }
  }

  const lineOf = (row) => (index.file === null ? null : index.lines === null ? row + 1 : index.lines[row]);

  globalThis.tunedropReport = {
    index, texts, inPage, want, wantAll, lineOf,
    STATES: { l: "went wrong", w: "still wrong", u: "not graded", g: "came right", r: "still right" },
    state: (row) => index.states[row],
    tone: (candidate) => ["base", "tuned"][candidate] || "other",
    cut: (row) => index.cut[row] === "1",
    reward(candidate, row) {
      const place = number(index.rewards[candidate], row);
      return place === NONE ? null : index.levels[place];
    },
    label(slice, row) {
      const place = number(index.slices[slice].rows, row);
      return place === NONE ? null : index.slices[slice].labels[place];
    },
    // What a reader calls the row, and the place in the file that was dropped.
    title: (row) => (lineOf(row) === null ? `row ${row + 1} of the test set` : `${index.file} line ${lineOf(row)}`),
    short: (value_) => (value_ === null ? "–" : String(Number(value_.toFixed(3)))),
  };
})();
