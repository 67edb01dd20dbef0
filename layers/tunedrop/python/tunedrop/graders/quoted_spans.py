"""Where a text quotes: code fences, and quotation marks that close on their line. A mark in there is no mark.

It reads forward only and remembers what it has looked for, so that the time is linear, whatever the text says.
"""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late

_TOKEN = late(r"\\.|[\n\"'`]")
_FENCE = late(r"[ \t]*(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_LONGEST_FENCE = 8
_OPENS_BEFORE = " \t([{=,:+\n"
_PREFIXES = "fFrRbBuU"


class QuotedSpans:
    """The quoted spans of a text from `start` on. Positions must be asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: dict[str, int] = {}
        self.restart(0)

    def restart(self, start: int) -> None:
        """Forget what is open: what stands before `start` was cut."""
        self._at = start
        self._end = start
        self.fenced = False
        self._fence_at(start)

    def covers(self, position: int) -> bool:
        """Whether the position lies in a quoted span; `fenced` then says whether in a fence."""
        while self._end <= position:
            token = _TOKEN.search(self._text, max(self._at, self._end), position)
            if token is None:
                self._at = max(self._at, position)
                return False
            self._at = token.end()
            sign = token[0]
            if sign == "\n":
                self._fence_at(token.end())
            elif len(sign) == 1 and (sign != "'" or self._may_open(token.start())):
                closes = self._closing(sign, token.end())
                if closes >= 0:
                    self._end, self.fenced = closes + 1, False
        return True

    def _fence_at(self, start: int) -> None:
        fence = _FENCE.match(self._text, start)
        if fence is None:
            return
        marks = fence[1][:_LONGEST_FENCE]
        end = self._remembered(marks, fence.end(), re.compile(rf"^[ \t]*{marks}+[ \t\r]*$", re.MULTILINE))
        if end >= 0:
            self._end, self.fenced = end + 1, True
            self._at = max(self._at, end)

    def _closing(self, sign: str, start: int) -> int:
        """Where the quotation ends on its line; -1 where it does not."""
        pattern = {'"': r'\\.|["\n]', "'": r"\\.|'(?!\w)|\n", "`": r"[`\n]"}[sign]
        end = self._remembered(sign, start, re.compile(rf"(?:{pattern})"))
        return end if end >= 0 and self._text[end] != "\n" else -1

    def _remembered(self, what: str, start: int, pattern: re.Pattern[str]) -> int:
        """Where the pattern is found next, an escape passed over; looked for only where it is not known yet."""
        known = self._next.get(what)
        if known is not None and (known < 0 or known >= start):
            return known
        position = start
        while (found := pattern.search(self._text, position)) and found[0].startswith("\\"):
            position = found.end()
        self._next[what] = found.start() if found else -1
        return self._next[what]

    def _may_open(self, position: int) -> bool:
        before = self._text[position - 1 : position]
        if before in _PREFIXES:  # also where there is nothing before
            before = self._text[max(0, position - 2) : max(0, position - 1)]
        return not before or before in _OPENS_BEFORE
