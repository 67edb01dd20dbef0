// The difference of two texts, word by word.
(function () {
  "use strict";
  const report = globalThis.tunedropReport;
  if (!report) return;
  const WORDS = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
  const MOST_CELLS = 4_000_000;

  // The longest common subsequence of what lies between the equal beginning and the equal end.
  function pieces(before, after) {
    const old = before.match(WORDS) || [];
    const now = after.match(WORDS) || [];
    let head = 0;
    while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
    let tail = 0;
    while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
    const left = old.slice(head, old.length - tail);
    const right = now.slice(head, now.length - tail);
    const found = [["same", old.slice(0, head).join("")]];
    if (left.length * right.length > MOST_CELLS) {
      found.push(["gone", left.join("")], ["new", right.join("")]);
    } else {
      found.push(...middle(left, right));
    }
    found.push(["same", tail ? old.slice(old.length - tail).join("") : ""]);
    return joined(found);
  }

  function middle(left, right) {
    const width = right.length + 1;
    const common = new Uint16Array((left.length + 1) * width);
    for (let i = left.length - 1; i >= 0; i -= 1) {
      for (let j = right.length - 1; j >= 0; j -= 1) {
        common[i * width + j] = left[i] === right[j]
          ? common[(i + 1) * width + j + 1] + 1
          : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
      }
    }
    const found = [];
    let i = 0;
    let j = 0;
    while (i < left.length && j < right.length) {
      if (left[i] === right[j]) { found.push(["same", left[i]]); i += 1; j += 1; }
      else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) { found.push(["gone", left[i]]); i += 1; }
      else { found.push(["new", right[j]]); j += 1; }
    }
    for (; i < left.length; i += 1) found.push(["gone", left[i]]);
    for (; j < right.length; j += 1) found.push(["new", right[j]]);
    return found;
  }

  function joined(found) {
    const made = [];
    for (const [kind, text] of found) {
      if (!text) continue;
      if (made.length && made[made.length - 1][0] === kind) made[made.length - 1][1] += text;
      else made.push([kind, text]);
    }
    return made;
  }

  report.difference = pieces;
})();
