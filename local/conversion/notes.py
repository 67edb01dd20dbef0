"""What a conversion tells beside its rows: how the file was read, and what did not become prompt or reference."""

from __future__ import annotations

from collections import Counter

from local.conversion.answer_values import AnswerValues

_MOST_FIELDS = 12


class Notes:
    """Filled while rows are turned; said once at the end."""

    def __init__(self) -> None:
        self.read_as: list[str] = []
        """How the file was read, such as `a table with ';' between its columns`."""
        self.header: tuple[str, ...] = ()
        """Names of a table's columns; empty where the file is no table."""
        self.formats: Counter[str] = Counter()
        """Title of a row's format → rows."""
        self.prompts: Counter[str] = Counter()
        """Name of the field that became the prompt → rows."""
        self.references: Counter[str] = Counter()
        """What became the reference → rows."""
        self.left_out: Counter[str] = Counter()
        """What was left out → how often."""
        self.for_the_grader: dict[str, None] = {}
        """Fields that stay fields of the row, in the order met."""
        self.answers = AnswerValues()
        """Which values the references have."""
        self.hints: dict[str, None] = {}

    def said(self) -> list[str]:
        """One sentence a line."""
        lines = []
        formats = " and ".join(
            title if len(self.formats) == 1 else f"{title} ({count:,})" for title, count in self.formats.most_common()
        )
        ways = ", ".join(self.read_as)
        if formats or ways:
            lines.append(f"Read as {formats}{' from ' if formats and ways else ''}{ways}.")
        if self.references:
            lines.append(f"reference_answer is made of {_counted(self.references)}.")
        lines += [f"Left out: {count:,} x {what}." for what, count in self.left_out.items()]
        if self.for_the_grader:
            names = list(self.for_the_grader)
            said = ", ".join(name or repr(name) for name in names[:_MOST_FIELDS])
            more = f" and {len(names) - _MOST_FIELDS} more" if len(names) > _MOST_FIELDS else ""
            lines.append(f"Kept for the grader, not shown to the model: {said}{more} (--drop leaves fields out).")
        return [*lines, *self.answers.said(), *self.hints]


def _counted(counter: Counter[str]) -> str:
    if len(counter) == 1:
        return next(iter(counter))
    return ", ".join(f"{what} ({count:,} row{'s' * (count != 1)})" for what, count in counter.most_common())
