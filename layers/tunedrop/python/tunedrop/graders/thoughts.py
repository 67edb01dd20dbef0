"""Cutting a model's thoughts out of what it said, before anything is graded.

The rules, in the order in which they decide:

1. A mark counts where no answer has begun yet: at the head of the text, or behind another thought.
2. Once an answer has begun, a mark that stands in a code fence or in quotation marks belongs to the answer: code that
   prints `<think>`, or a JSON value that holds it, stays whole.
3. A thought ends at the first closing mark of its form. A closing mark that nothing opened ends a thought that the
   prompt had opened (the templates of Qwen3 and DeepSeek R1 do): all that stands before it was thought.
4. A thought that never ends leaves no answer, whatever stands before it. Behind the beginning of an answer, an opening
   mark that is never closed counts only at the beginning of a sentence: "Use the <think> tag" is a sentence.
5. What stands behind the end of the turn is another turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunedrop.graders import harmony
from tunedrop.graders.late_pattern import late
from tunedrop.graders.quoted_spans import QuotedSpans
from tunedrop.graders.thought_forms import ALIKE, CLOSING, CLOSING_ALIKE, HEADER, HINTS, PROSE_HINTS, mark_at, next_mark

_SENTENCE_ENDS = ".!?:;…。\n>"
_MOST_QUOTED = 3
"""Closing marks in quotation marks that are passed over, at the most: the time stays linear."""
_RESPONSE = late(r"\s*<(response|output)>(.*)</\1>\s*\Z", re.DOTALL | re.IGNORECASE)  # Granite 3.3, Reflection


@dataclass(frozen=True, slots=True)
class Cut:
    """What a model said, taken apart."""

    answer: str
    thought: str | None = None
    """The thoughts, one after the other; None where there are none."""
    unfinished: bool = False
    """Whether the last thought never ended: then there is no answer."""
    calls: tuple[Mapping[str, Any], ...] = ()
    """Calls of tools that were made in a channel of harmony."""


def cut_thoughts(text: str) -> Cut:
    """Take the thoughts out of a model's turn. Its time is linear in the text's length."""
    turn = harmony.read(text)
    if turn is not None:
        inner = _cut(turn.final)
        thoughts = [*turn.thoughts, *([] if inner.thought is None else [inner.thought])]
        return Cut(
            "" if turn.unfinished else inner.answer,
            "\n".join(thoughts) if thoughts else None,
            turn.unfinished or inner.unfinished,
            turn.calls,
        )
    return _cut(text)


def _cut(text: str) -> Cut:
    prose = any(hint in text for hint in PROSE_HINTS)
    if not prose and not any(hint in text for hint in HINTS):
        return Cut(text)
    return _Cutting(text, prose).result()


def _said(text: str) -> str:
    """The text without what shows nothing around it: space, a byte order mark, a zero-width space."""
    return text.strip().strip("\ufeff\u200b\u2060").strip()


class _Cutting:
    """One pass over a text, mark by mark."""

    def __init__(self, text: str, prose: bool) -> None:
        self._text = text
        self._prose = prose
        self._quoted = QuotedSpans(text)
        self._kept: list[str] = []
        self._thoughts: list[str] = []
        self._from = 0  # where the text begins that is neither kept nor cut yet
        self._began = False
        self._unfinished = False
        self._passed: dict[str, int] = {}  # opening marks that were left in the answer, by form
        self._never_closed: set[str] = set()
        self._changed = False
        self._more_until = 0  # up to here, marks of a turn's end are known to be followed by more text

    def result(self) -> Cut:
        self._skip_headers()
        position, go_on = self._from, True
        while go_on and (mark := next_mark(self._text, position, prose=self._prose)):
            self._began = self._began or bool(_said(self._text[position : mark.start()]))
            position, go_on = self._read(mark)
        if go_on:
            self._keep(len(self._text))
        if not self._changed:
            return Cut(self._text)
        answer = "\n".join(piece for piece in self._kept if _said(piece)).strip()
        if self._thoughts and (wrapped := _RESPONSE.match(answer)):
            answer = wrapped[2].strip()
        thought = "\n".join(self._thoughts) if self._thoughts else None
        return Cut("" if self._unfinished else answer, thought, self._unfinished)

    def _read(self, mark: re.Match[str]) -> tuple[int, bool]:
        """What a mark does: where to look on, and whether to."""
        sort = str(mark.lastgroup)
        if sort in ("tag", "open", "prose"):
            return self._opened(mark, "" if sort == "prose" else mark[sort].lower())
        if self._is_quoted(mark.start()) and (
            sort not in ("closed", "close", "response") or self._belongs_to_answer(mark, sort)
        ):
            return mark.end(), True
        if sort in ("closed", "close", "response", "begin"):
            before = "\n".join((*self._kept, self._text[self._from : mark.start()]))
            if sort != "begin" or before.strip():
                self._thoughts.append(before.strip())
            self._kept.clear()
            self._go_on_from(mark.end())
            self._began = False
            self._skip_headers()
            return self._from, True
        if sort == "empty":
            self._keep(mark.start())
            self._thoughts.append("")
            self._go_on_from(mark.end())
            return self._from, True
        if sort == "trailing" and not self._only_ends_follow(mark.end()):
            self._began = True
            return mark.end(), True
        return self._ended(mark)

    def _opened(self, mark: re.Match[str], form: str) -> tuple[int, bool]:
        if self._is_quoted(mark.start()):
            self._passed[form] = self._passed.get(form, 0) + 1
            return mark.end(), True
        closing = None if form in self._never_closed else self._closing(CLOSING[form], mark.end())
        if closing is None and form not in self._never_closed and form in ALIKE:
            closing = CLOSING_ALIKE.search(self._text, mark.end())
            if closing is not None and f"<{closing['name']}" in self._text[mark.end() : closing.start()]:
                closing = None  # another thought's
        if closing is not None:
            self._keep(mark.start())
            self._thoughts.append(self._text[mark.end() : closing.start()].strip())
            self._go_on_from(closing.end())
            self._skip_headers()
            return self._from, True
        self._never_closed.add(form)
        if self._began and not self._begins_sentence(mark.start()):
            return mark.end(), True
        self._changed = self._unfinished = True
        self._thoughts.append(self._text[mark.end() :].strip())
        return len(self._text), False

    def _closing(self, pattern: re.Pattern[str], position: int) -> re.Match[str] | None:
        """Where a thought ends: at the first closing mark, or behind some that it quotes."""
        first = found = pattern.search(self._text, position)
        for _ in range(_MOST_QUOTED):
            if found is None:
                break
            sign = self._text[found.start() - 1]
            if sign not in "\"'`" or self._text[found.end() : found.end() + 1] != sign:
                return found
            found = pattern.search(self._text, found.end())
        return first

    def _ended(self, mark: re.Match[str]) -> tuple[int, bool]:
        self._keep(mark.start())
        self._go_on_from(mark.end())
        return self._from, not self._began

    def _is_quoted(self, position: int) -> bool:
        return self._began and self._quoted.covers(position)

    def _belongs_to_answer(self, mark: re.Match[str], sort: str) -> bool:
        """Whether a quoted closing mark is one of the answer's own, and not the end of thoughts that quote."""
        form = mark[sort].lower()
        if self._passed.get(form, 0) > 0:
            self._passed[form] -= 1
            return True
        text = self._text
        line = text[max(0, mark.start() - 80) : mark.start()].rpartition("\n")[2]
        if self._quoted.fenced:
            return bool(line.strip())
        around = text[mark.start() - 1 : mark.start()] + text[mark.end() : mark.end() + 1]
        head = text[self._from : self._from + 200].lstrip()[:1]
        return head in ("{", "[", '"', "'", "`") or any(sign in "\"'`" for sign in around)

    def _begins_sentence(self, position: int) -> bool:
        before = self._text[max(0, position - 80) : position]
        return before.endswith("\n") or before.rstrip(" \t")[-1:] in _SENTENCE_ENDS

    def _keep(self, end: int) -> None:
        if piece := self._text[self._from : end]:
            self._kept.append(piece)

    def _go_on_from(self, position: int) -> None:
        self._changed = True
        self._from = position
        self._quoted.restart(position)

    def _skip_headers(self) -> None:
        """Pass over what a template writes before the turn, as long as nothing was said."""
        while not self._began and (header := HEADER.match(self._text, self._from)):
            self._go_on_from(header.end())

    def _only_ends_follow(self, position: int) -> bool:
        if position <= self._more_until:
            return False
        while position < len(self._text):
            if self._text[position].isspace():
                position += 1
                continue
            mark = mark_at(self._text, position)
            if mark is None or mark.lastgroup not in ("trailing", "end"):
                self._more_until = position
                return False
            position = mark.end()
        return True
