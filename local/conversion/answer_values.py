"""Which values the references have: missing and misspelled labels are seen before anything is trained on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from local.conversion.fields import is_blank
from tunedrop.dataset.show import shown

MOST_VALUES: Final = 20
"""Of a field: with more of them, its values are no labels."""
MOST_FIELDS: Final = 20
_LONGEST: Final = 40
_MOST_PLACES: Final = 5
_WHOLE: Final = "reference_answer"


def blank_fields(answer: Any) -> tuple[str, ...]:
    """The fields of an answer that say nothing; none of a text, which has no fields. An empty array or object does say
    something, such as a call without arguments."""
    return tuple(key for key, value in answer.items() if _says_nothing(value)) if isinstance(answer, Mapping) else ()


def _says_nothing(value: Any) -> bool:
    return is_blank(value) and not isinstance(value, (list, dict))


class AnswerValues:
    """Filled row by row, with at most MOST_FIELDS fields."""

    def __init__(self) -> None:
        self._fields: set[str] = set()
        self._values: dict[str, Counter[str] | None] = {}
        """Field → its values with their rows; None: they are no labels."""
        self._blanks: dict[str, list[str]] = {}
        """Field → where it is blank: the first places."""
        self._blank_rows: Counter[str] = Counter()

    def add(self, place: str, answer: Any) -> None:
        """Count one reference; `place`: where its row stands, such as `row 19`."""
        for field, value in answer.items() if isinstance(answer, Mapping) else ((_WHOLE, answer),):
            if field not in self._fields:
                if len(self._fields) == MOST_FIELDS:
                    continue
                self._fields.add(field)
            if _says_nothing(value):
                self._blank_rows[field] += 1
                places = self._blanks.setdefault(field, [])
                if len(places) < _MOST_PLACES:
                    places.append(place)
                continue
            counted = self._values.setdefault(field, Counter())
            if counted is None:
                continue
            if (
                not isinstance(value, str)
                or len(value) > _LONGEST
                or (value not in counted and len(counted) == MOST_VALUES)
            ):
                self._values[field] = None
                continue
            counted[value] += 1

    def said(self) -> list[str]:
        """One sentence for each field that has labels, and one for each that is blank in some rows."""
        lines = []
        for field, counted in self._values.items():
            if counted and len(counted) * 2 <= counted.total():
                values = ", ".join(f"{_plain(value)} ({count:,})" for value, count in counted.most_common())
                lines.append(f"Values of `{field}`: {values}.")
                lines += [
                    f"Some values of `{field}` differ only in case or white space: {', '.join(map(shown, alike))}."
                    for alike in _alike(counted)
                ]
        for field, places in self._blanks.items():
            rows = self._blank_rows[field]
            more = f" and {rows - len(places):,} more" if rows > len(places) else ""
            lines.append(
                f"`{field}` is blank in {rows:,} row{'s' * (rows != 1)}: {', '.join(places)}{more}. "
                "If a blank is no answer, leave such rows out with --skip-blank-answers."
            )
        return lines


def _plain(value: str) -> str:
    """A value as it is where that shows all of it; in quotes where white space stands at its ends."""
    return value if value == value.strip() else shown(value)


def _alike(values: Iterable[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for value in values:
        groups.setdefault(" ".join(value.casefold().split()), []).append(value)
    return [group for group in groups.values() if len(group) > 1]
