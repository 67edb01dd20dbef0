"""All test rows in a few bytes each: what the report's table filters and sorts by without the texts.

The page holds it for every row, however many there are: 20,000 rows with five candidates need some 300 KB.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.evaluation.tally import Tally

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""Two of these are a number from 0 to 4,095."""

MOST_LEVELS = len(DIGITS) ** 2 - 1
"""Most different rewards; the last number stands for none."""

_TITLES = {BASE: "Base", TUNED: "Tuned"}

NONE = DIGITS[-1] * 2

MOST_LABELS = 100
"""Most labels of a slice that one can filter by; the rest is "(others)"."""

OTHERS = "(others)"


class State(enum.StrEnum):
    """What became of a row, from the base model to the tuned one. The value is its letter in the index."""

    WENT_WRONG = "l"
    STILL_WRONG = "w"
    NOT_GRADED = "u"
    CAME_RIGHT = "g"
    STILL_RIGHT = "r"


IMPORTANCE = (State.WENT_WRONG, State.STILL_WRONG, State.NOT_GRADED, State.CAME_RIGHT, State.STILL_RIGHT)
"""Whose texts come first where a page has no room for all."""


def states(tally: Tally, base: str = BASE, tuned: str = TUNED) -> str:
    """The state of each row, a letter a row.

    With several answers a row, it came right (went wrong) where more (fewer) of them are right; it is still right only
    if all are. Where nobody says what is right, an answer is right from the middle of the rewards' range on.
    """
    before, after = tally.candidates[base], tally.candidates[tuned]
    middle = tally.rewards.low + tally.rewards.width / 2
    letters = []
    for row in range(tally.rows):
        if not before.graded(row) or not after.graded(row):
            letters.append(State.NOT_GRADED)
            continue
        was, now = before.accuracy(row), after.accuracy(row)
        if was is None or now is None:
            was, now = (float((each.reward(row) or 0.0) >= middle) for each in (before, after))
        if was == now:
            letters.append(State.STILL_RIGHT if now == 1.0 else State.STILL_WRONG)
        else:
            letters.append(State.CAME_RIGHT if now > was else State.WENT_WRONG)
    return "".join(letters)


def row_index(
    tally: Tally,
    *,
    labels: Mapping[str, Sequence[str | None]],
    models: Mapping[str, str],
    names: Sequence[str] = (),
    file: str | None = None,
    lines: Sequence[int] | None = None,
) -> dict[str, Any]:
    """The index of all rows, as the page reads it: of base, tuned and the other models, or of those in `names`.

    A row's state is that from the first to the second of them. `lines` are the lines of the dropped `file`, one a row,
    where they are known. `levels` are the rewards that occur, in order; `rewards` gives each candidate's by two digits
    a row. `cut` has a 1 where an answer of one of the first two was truncated. `slices` are the fields that rows are
    sorted into, by two digits a row.
    """
    names = names or [BASE, TUNED, *(name for name in tally.candidates if name not in (BASE, TUNED))]
    rewards = {name: [_rounded(tally, name, row) for row in range(tally.rows)] for name in names}
    levels = sorted({reward for of_name in rewards.values() for reward in of_name if reward is not None})
    place = {level: _digits(number) for number, level in enumerate(levels)}
    compared = [tally.candidates[name] for name in names[:2]]
    known = lines is not None and len(lines) == tally.rows
    return {
        "rows": tally.rows,
        "samples": tally.samples,
        "range": list(tally.rewards),
        "file": file if known else None,
        "lines": list(lines) if known and lines is not None and list(lines) != list(range(1, tally.rows + 1)) else None,
        "names": list(names),
        "titles": [_TITLES.get(name, name) for name in names],
        "models": [models.get(name, "") for name in names],
        "levels": levels,
        "rewards": ["".join(NONE if each is None else place[each] for each in rewards[name]) for name in names],
        "states": states(tally, names[0], names[1]),
        "cut": "".join("1" if any(each.cut(row) for each in compared) else "0" for row in range(tally.rows)),
        "slices": [_slice(field, of_rows) for field, of_rows in labels.items() if any(of_rows)],
    }


def _rounded(tally: Tally, name: str, row: int) -> float | None:
    """A row's reward in 1/4000 of the range, so that there are never more levels than two digits can name."""
    reward = tally.candidates[name].reward(row)
    if reward is None:
        return None
    low, width = tally.rewards.low, tally.rewards.width
    return round(low + round((reward - low) / width * 4_000) / 4_000 * width, 6)


def _slice(field: str, of_rows: Sequence[str | None]) -> dict[str, Any]:
    counts = Counter(label for label in of_rows if label is not None)
    shown = sorted(label for label, _ in counts.most_common(MOST_LABELS))
    names = [*shown, *([OTHERS] if len(counts) > len(shown) else [])]
    places = {label: _digits(number) for number, label in enumerate(names)}
    others = places.get(OTHERS, NONE)
    return {
        "field": field,
        "labels": names,
        "rows": "".join(NONE if label is None else places.get(label, others) for label in of_rows),
    }


def _digits(number: int) -> str:
    high, low = divmod(number, len(DIGITS))
    return DIGITS[high] + DIGITS[low]
