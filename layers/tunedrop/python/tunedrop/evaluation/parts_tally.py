"""What the parts of the answers cost over all rows: which field, label or grader of a composite, and how many tests
passed.

One `PartsTally` takes every answer once and keeps a few numbers for each name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tunedrop.evaluation.answers import Answer

MOST_NAMES = 200
"""Most different parts that are counted by name: an answer may make up names of its own."""

MOST_LABELS = 20
"""Most labels of a confusion matrix; the rest is `OTHERS`."""

OTHERS = "(others)"
NOTHING = "(none)"
"""In a confusion matrix, what an answer says that commits to no label."""

YES = "yes"
_TESTS = "code"
_LABELS = "moderation"
_GRADERS = "composite"


class _Figures:
    """Of one part and one candidate: answers, how many were right, their credit and cost, and what was given."""

    def __init__(self) -> None:
        self.answers = 0
        self.right = 0
        self.credit = 0.0
        self.cost = 0.0
        self.expected = 0
        self.given = 0
        self.both = 0


class PartsTally:
    """The parts of all answers, by name and candidate. `kind` is the kind of grader: what a part is."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._figures: dict[str, dict[str, _Figures]] = {}
        self._whole: dict[str, Counter[str]] = defaultdict(Counter)
        self._confusion: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._answers: Counter[str] = Counter()

    def add(self, answer: Answer) -> None:
        """Count the parts of an answer that is graded."""
        if not answer.graded or not answer.parts:
            return
        self._answers[answer.candidate] += 1
        if self._kind == _TESTS:
            right = sum(part.credit for part in answer.parts)
            passed = "all" if right == len(answer.parts) else "some" if right else "none"
            self._whole[answer.candidate][passed] += 1
            return
        if self._kind == _LABELS:
            self._confuse(answer)
        for part in answer.parts:
            name = part.name if part.name in self._figures or len(self._figures) < MOST_NAMES else OTHERS
            figures = self._figures.setdefault(name, {}).setdefault(answer.candidate, _Figures())
            figures.answers += 1
            figures.right += part.credit >= 1.0
            figures.credit += part.credit
            figures.cost += part.cost
            figures.expected += part.expected == YES
            figures.given += part.got == YES
            figures.both += part.expected == YES and part.got == YES

    def _confuse(self, answer: Answer) -> None:
        expected, given = ([part.name for part in answer.parts if part[place] == YES] for place in (3, 4))
        if len(expected) == 1 and len(given) <= 1:
            self._confusion[answer.candidate][expected[0], given[0] if given else NOTHING] += 1

    def to_json(self) -> dict[str, Any] | None:
        """`of` ("tests", "labels", "parts" or "fields") and the figures by candidate; None where no answer had parts.

        A field has `answers`, `right`, `credit` (mean) and `cost` (of the mean reward, over all answers of the
        candidate); those that cost the most come first. A label has `expected`, `given` and `both`, too. `confusion`
        counts the answers with one right label, by the right and the given one.
        """
        if not self._answers:
            return None
        if self._kind == _TESTS:
            counts = {
                name: {each: whole[each] for each in ("all", "some", "none")} for name, whole in self._whole.items()
            }
            return {"of": "tests", "passed": counts}
        labels = self._kind == _LABELS
        rows: list[dict[str, Any]] = [
            {
                "name": name,
                "candidates": {which: self._row(which, figures, labels) for which, figures in of_name.items()},
            }
            for name, of_name in self._figures.items()
        ]
        rows.sort(key=lambda row: -max(figures["cost"] for figures in row["candidates"].values()))
        return {
            "of": "labels" if labels else "parts" if self._kind == _GRADERS else "fields",
            "rows": rows,
            "confusion": {name: _matrix(pairs) for name, pairs in self._confusion.items()},
        }

    def _row(self, candidate: str, figures: _Figures, labels: bool) -> dict[str, Any]:
        told: dict[str, Any] = {
            "answers": figures.answers,
            "right": figures.right,
            "credit": figures.credit / figures.answers,
            "cost": figures.cost / self._answers[candidate],
        }
        if labels:
            told |= {"expected": figures.expected, "given": figures.given, "both": figures.both}
        return told


def _matrix(pairs: Counter[tuple[str, str]]) -> dict[str, Any]:
    """`right` and `given` name the rows and the columns of `counts`."""
    seen = Counter[str]()
    for (right, given), count in pairs.items():
        seen[right] += count
        seen[given] += count
    shown = sorted(label for label, _ in seen.most_common(MOST_LABELS) if label != NOTHING)
    rest = any(label not in shown and label != NOTHING for label in seen)
    names = [*shown, *([OTHERS] if rest else [])]
    columns = [*names, *([NOTHING] if NOTHING in seen else [])]
    counts = [[0] * len(columns) for _ in names]
    for (right, given), count in pairs.items():
        counts[_place(names, right)][_place(columns, given)] += count
    return {"right": names, "given": columns, "counts": counts}


def _place(names: Sequence[str], label: str) -> int:
    return names.index(label if label in names else OTHERS)
