"""The rows that flipped: what one model got right and the other did not, side by side, with the grader's reasons.

Found from the tally in which no text is kept; the texts are then picked from a second pass over the answers. The amount
of text is bounded, whatever the models wrote, so that the page stays one that a phone can open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.tally import Tally
from tunedrop.graders.thoughts import cut_thoughts

MOST_ROWS = 600
"""Most rows shown each way."""

TEXT_BYTES = 1_200_000
"""Most bytes of all rows together, as JSON within the page: with the chart library and the rest, less than 2 MB."""

ANSWER_CHARACTERS = 1_500
PROMPT_CHARACTERS = 1_200
REASON_CHARACTERS = 300

_CUT = "\n[… {} characters left out …]\n"


class Flips:
    """The flipped rows of a comparison, to be filled with their texts.

    Rows that got worse come first: they are what one reads a report for. Where the grader judged no answer right or
    wrong, rows count as flipped whose reward changed by at least half of its range.
    """

    def __init__(self, tally: Tally, base: str = BASE, tuned: str = TUNED) -> None:
        self._candidates = (base, tuned)
        changes = list(_changes(tally, base, tuned))
        # The greatest changes first; of equal ones every n-th, so that those shown come from the whole test set.
        self._totals = {
            "lost": sum(change < 0 for _, change in changes),
            "gained": sum(change > 0 for _, change in changes),
        }
        lost = _chosen([(row, -change) for row, change in changes if change < 0])
        gained = _chosen([(row, change) for row, change in changes if change > 0])
        self._rows: dict[int, dict[str, Any]] = {
            row: {"row": row, "way": way} for way, rows in (("lost", lost), ("gained", gained)) for row in rows
        }

    @property
    def rows(self) -> Sequence[int]:
        """The rows whose texts are wanted."""
        return list(self._rows)

    def add_answer(self, answer: Answer) -> None:
        """Keep the answer's text if its row is wanted; of several samples, the first that shows the flip."""
        shown = self._rows.get(answer.row)
        if shown is None or answer.candidate not in self._candidates or not answer.graded:
            return
        side = "base" if answer.candidate == self._candidates[0] else "tuned"
        kept = shown.get(side)
        wanted = (shown["way"] == "gained") == (side == "tuned")
        if kept is None or (kept["correct"] is not wanted and answer.correct is wanted):
            said = cut_thoughts(answer.answer)
            thought = said.thought or answer.thought
            shown[side] = {
                "text": cut(said.answer, ANSWER_CHARACTERS),
                **({"thought": cut(thought, ANSWER_CHARACTERS)} if thought else {}),
                "reward": answer.reward,
                "correct": answer.correct,
                "reason": cut(answer.explanation, REASON_CHARACTERS),
                "tokens": answer.completion_tokens,
                "seconds": answer.latency_seconds,
            }

    def add_row(self, row: int, prompt: str, reference: str) -> None:
        """Keep the prompt and the reference answer of a test row if it is wanted."""
        shown = self._rows.get(row)
        if shown is not None:
            shown["prompt"] = cut(prompt, PROMPT_CHARACTERS)
            shown["reference"] = cut(reference, PROMPT_CHARACTERS)

    def to_json(self) -> dict[str, Any]:
        """gained and lost: how many there are; rows: those shown, the lost ones first, as far as the room goes."""
        room = TEXT_BYTES
        shown: list[dict[str, Any]] = []
        for row in self._rows.values():
            if "base" not in row or "tuned" not in row:
                continue
            room -= _bytes(row)
            if room < 0:
                break
            shown.append({"prompt": "", "reference": "", **row})
        return {"gained": self._totals["gained"], "lost": self._totals["lost"], "rows": shown}


def cut(text: str, most: int) -> str:
    """The text with its middle left out where it is longer: models conclude at the end."""
    if len(text) <= most:
        return text
    head = most // 3
    return text[:head] + _CUT.format(f"{len(text) - most:,}") + text[-(most - head) :]


def _changes(tally: Tally, base: str, tuned: str) -> Iterator[tuple[int, float]]:
    before, after = tally.candidates[base], tally.candidates[tuned]
    half = tally.rewards.width / 2
    for row in tally.pairs(base, tuned):
        was, now = before.accuracy(row), after.accuracy(row)
        least = 0.0
        if was is None or now is None:
            was, now, least = before.reward(row), after.reward(row), half
        if was is not None and now is not None and was != now and abs(now - was) >= least:
            yield row, now - was


def _chosen(changes: Sequence[tuple[int, float]]) -> list[int]:
    if len(changes) <= MOST_ROWS:
        return [row for row, _ in changes]
    ordered = sorted(changes, key=lambda each: (-each[1], each[0]))
    as_great = [row for row, change in ordered if change == ordered[MOST_ROWS - 1][1]]
    greater = [row for row, change in ordered if change > ordered[MOST_ROWS - 1][1]]
    room = MOST_ROWS - len(greater)
    return sorted(greater + [as_great[place * len(as_great) // room] for place in range(room)])


def _bytes(row: Mapping[str, Any]) -> int:
    text = json.dumps(row, ensure_ascii=False)
    # Within the page a "<" is written as \u003c.
    return len(text.encode("utf-8", "replace")) + 5 * text.count("<")
