"""What a person wants to know of a dataset before paying for training on it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import Any, Final

from tunedrop.dataset.show import cleaned

MAX_KINDS: Final = 50
"""Different shapes that are told apart; the rest are counted together."""
OTHER: Final = "other"
_NUMBER = re.compile(r"\s*[-+$€£]?\d[\d,]*(?:\.\d+)?\s*%?\s*")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[ _'&/.-]+[^\W\d_]+)*[.]?")
"""Words without a digit and without a sign of mathematics; asked of short texts only."""
_FEW_WORDS: Final = 3
_FEW: Final = "a few words"
_MOST_KEYS: Final = 5
_MOST_TURNS: Final = 8
"""Turns of a conversation that are told apart."""
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")


def estimated_tokens(utf8_bytes: int) -> int:
    """Tokens of a text by its bytes: 4 to a token, as English has in the tokenizers of today. An estimate, and named
    so.

    Text of other scripts has more bytes a character, which makes up for its shorter tokens.
    """
    return ceil(utf8_bytes / 4)


@dataclass(slots=True)
class Histogram:
    """How often each length occurs. A file of B bytes has at most sqrt(2 B) different lengths."""

    counts: Counter[int] = field(default_factory=Counter)

    def add_lengths(self, lengths: Iterable[int]) -> None:
        """Count lengths, in UTF-8 bytes."""
        self.counts.update(lengths)

    def percentile(self, part: float) -> int:
        """The least value that at least `part` (0 to 1) of all do not exceed (nearest rank); 0 where there are none."""
        wanted = ceil(part * self.counts.total())
        reached = 0
        for value in sorted(self.counts):
            reached += self.counts[value]
            if reached >= wanted:
                return value
        return 0

    def summary(self) -> dict[str, int]:
        """p50, p95, p99 and max, in estimated tokens, of lengths in UTF-8 bytes."""
        points = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {name: estimated_tokens(self.percentile(part)) for name, part in points.items()}


@dataclass(slots=True)
class Statistics:
    """Counted row by row while a file is checked."""

    prompt_bytes: Histogram = field(default_factory=Histogram)
    answer_bytes: Histogram = field(default_factory=Histogram)
    conversations: Counter[str] = field(default_factory=Counter)
    """Sequence of roles → rows."""
    answers: Counter[str] = field(default_factory=Counter)
    """Shape of reference_answer → rows, of the first 20,000 rows (more are not trained on)."""
    worded: int = 0
    """Answers among these that are words alone, such as a label."""
    fields: Mapping[str, int] = field(default_factory=dict)
    """Other fields of a row, which the grader is given → rows."""

    def count_conversation(self, messages: Sequence[Any]) -> None:
        """Count one row's sequence of roles."""
        roles = [message.get("role") for message in messages[:_MOST_TURNS]]
        known = ", ".join([role if role in _ROLES else OTHER for role in roles if isinstance(role, str)])
        count(self.conversations, known + ", …" * (len(messages) > _MOST_TURNS))

    def count_answer(self, answer: Any) -> None:
        """Count the shape of one row's answer."""
        shape = answer_shape(answer)
        count(self.answers, shape)
        self.worded += shape == _FEW and _WORDS.fullmatch(answer) is not None

    def count_answers(self, texts: Sequence[str]) -> None:
        """Count the shapes of answers that are texts."""
        for shape, times in Counter(map(_text_shape, texts)).items():
            count(self.answers, shape, times)
            if shape == _FEW:
                self.worded += sum(_text_shape(text) == shape and _WORDS.fullmatch(text) is not None for text in texts)

    def roles(self) -> dict[str, int]:
        """How many messages of each role there are."""
        roles: Counter[str] = Counter()
        for conversation, rows in self.conversations.items():
            for role in conversation.split(", "):
                if role in _ROLES or role == OTHER:
                    roles[role] += rows
        return dict(roles)

    def to_json(self) -> dict[str, Any]:
        """As it stands in findings.json. Lengths are estimated tokens."""
        return {
            "roles": self.roles(),
            "conversations": dict(self.conversations.most_common()),
            "prompt_tokens_estimated": self.prompt_bytes.summary(),
            "answer_tokens_estimated": self.answer_bytes.summary(),
            "answer_shapes": dict(self.answers.most_common()),
            "fields_for_the_grader": dict(self.fields),
        }


def count(counter: Counter[str], kind: str, times: int = 1) -> None:
    """Count one (or more) of `kind`, or of OTHER where there are too many kinds to keep."""
    counter[kind if kind in counter or len(counter) < MAX_KINDS else OTHER] += times


def answer_shape(answer: Any) -> str:
    """What kind of thing an answer is, in words: by its type, and for text by how it ends or what it holds."""
    if isinstance(answer, str):
        return _text_shape(answer)
    if isinstance(answer, Mapping):
        names = _names(tuple([str(key)[:30] for key in list(answer)[:_MOST_KEYS]]))
        return f"object with {names}{', …' if len(answer) > _MOST_KEYS else ''}" if answer else "empty object"
    if isinstance(answer, list):
        return "array"
    return "null" if answer is None else ("true or false" if isinstance(answer, bool) else "number")


@lru_cache(maxsize=256)
def _names(keys: tuple[str, ...]) -> str:
    return ", ".join(sorted(map(cleaned, keys)))


def _text_shape(text: str) -> str:
    last_line = text[text.rfind("\n") + 1 :]
    if last_line.startswith("#### "):
        return 'text ending in "#### …"'
    if "\\boxed{" in text:
        return "text with \\boxed{…}"
    if len(text) < 60 and _NUMBER.fullmatch(text):
        return "number as text"
    if text[:1] in "{[" and _is_json(text):
        return "JSON as text"
    return _FEW if len(text) < 60 and len(text.split()) <= _FEW_WORDS else "text"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
