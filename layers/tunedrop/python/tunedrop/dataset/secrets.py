"""Secrets and personal data, by one pass of a linear-time engine over the raw bytes; their text is never repeated.

The same pass marks what sends a line to the careful reading: a key of a plain row that is there twice (which the
parser of plain rows does not tell), a number that may be too large (which no parser tells), a line break that may not
be the end of a row (which the parser of plain rows does not tell either), and ASCII written as escapes (which hides an
address, or a key, from this very pass).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Final

import re2


class Mark(enum.StrEnum):
    """What the pass can see. The first four are rules of `rules`."""

    KEY = "secret-key"
    EMAIL = "personal-email"
    PHONE = "personal-phone"
    CARD = "personal-card"
    UNUSUAL = "unusual"
    """What only the careful reading can tell."""
    TWICE = "twice"
    """A key that may be there twice."""


SECRETS: Final = frozenset({Mark.KEY, Mark.EMAIL, Mark.PHONE, Mark.CARD})

_KEYS = (
    rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS access key ids
    rb"(?i:aws_?secret_?access_?key)[\"'\\ :=]{1,8}[0-9A-Za-z/+]{40}",
    rb"\bbedrock-api-key-[0-9A-Za-z+/=]{20,}",
    rb"\bABSK[0-9A-Za-z+/=]{40,}",  # long-term Bedrock API keys
    rb"\bsk-[0-9A-Za-z_-]{20,}",  # OpenAI, Anthropic
    rb"\bsk_live_[0-9A-Za-z]{16,}",
    rb"\bgh[pousr]_[0-9A-Za-z]{36,}",
    rb"\bgithub_pat_[0-9A-Za-z_]{22,}",
    rb"\bglpat-[0-9A-Za-z_-]{20,}",
    rb"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    rb"\bAIza[0-9A-Za-z_-]{35,}",
    rb"\bhf_[0-9A-Za-z]{30,}",
    rb"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.",  # JSON web tokens
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
)
_EMAIL = rb"[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*\.[A-Za-z]{2,}"
_PHONE = (
    rb"(?:^|[^\w.+*/=)-])(?:\+[1-9][0-9]{0,2}[ .-]?(?:\(0?[0-9]{1,4}\)[ .-]?)?[0-9]{2,5}(?:[ .-]?[0-9]{2,5}){1,4}"
    rb"|(?:\([0-9]{3}\) ?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4})\b"
)
_CARD = rb"\b(?:[2-6][0-9]{3}(?:[ -]?[0-9]{4}){3}|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5})\b"
_ESCAPED_ASCII = rb"\\u00[2-7][0-9A-Fa-f]"
_LARGE_NUMBER = rb"[0-9]{100}|[0-9][eE]\+?[0-9]{3,}[ \t\r]*[,\]}]"
_BREAK = rb"(?:\A|[^}\r])\r*\n|\n(?:[^{]|\z)"
"""A line break before which no row ends, or after which none begins. JSON has no other one within a row."""
# Order matters where two could start at the same byte: a card number before a phone number.
_GROUPS: Final = (Mark.KEY, Mark.EMAIL, Mark.CARD, Mark.PHONE, Mark.UNUSUAL, Mark.TWICE)


def _compiled(*others: bytes) -> Any:
    groups = (b"|".join(_KEYS), _EMAIL, _CARD, _PHONE, *others)
    return re2.compile(b"(?m)" + b"|".join(b"(" + group + b")" for group in groups))


_PATTERN: Final = _compiled(_ESCAPED_ASCII)
MOST_A_LINE: Final = 16
"""Marks that are looked for in one line: each costs some microseconds, and a line may hold a hundred thousand."""
_MOST_CANDIDATES: Final = 1_000
_MIN_PHONE_DIGITS: Final = 8


class Scan:
    """The pass over a file's blocks.

    `unusual_texts` (lower case) are marked UNUSUAL whatever their case; each of `keys` that a line has twice, TWICE.
    Where it looks for keys, it also marks a line break that is not between two rows.
    """

    def __init__(self, unusual_texts: Collection[str] = (), keys: Collection[str] = ()) -> None:
        self._unusual_texts = unusual_texts
        self.keys = frozenset(keys)
        unusual = [_ESCAPED_ASCII, _LARGE_NUMBER]
        unusual += [b"(?i:" + re2.escape(text).encode() + b")" for text in unusual_texts]
        twice = []
        for key in keys:
            # An escaped quote within a text has a backslash before it, so that this is a key and no text.
            quoted = b'"' + re2.escape(key).encode() + rb'"[ \t\r]*:'
            twice.append(quoted + rb"[^\n]*" + quoted)
        self._whole = _compiled(b"|".join(unusual))
        self._pattern = _compiled(b"|".join([*unusual, _BREAK]), b"|".join(twice)) if twice else self._whole

    def with_keys(self, keys: Collection[str]) -> Scan:
        """The same, looking for these keys as well."""
        return Scan(self._unusual_texts, self.keys.union(keys))

    def without_keys(self) -> Scan:
        """The same, looking for no key."""
        return Scan(self._unusual_texts)

    def marks(self, block: bytes) -> list[tuple[int, Mark]]:
        """Offset and kind of each mark in `block`, in order, at most MOST_A_LINE of a line. Linear time."""
        if self._pattern is self._whole:
            return [(start, mark) for start, _, mark in _spans(self._whole, block, MOST_A_LINE)]
        found: list[tuple[int, Mark]] = []
        passed = 0
        for start, end, mark in _spans(self._pattern, block, MOST_A_LINE):
            if start < passed:
                continue
            found.append((start, mark))
            if mark is Mark.TWICE:
                # From the first such key to the last one, the pattern took the line along: look at it on its own.
                begun, passed = block.rfind(b"\n", 0, start) + 1, _line_end(block, end)
                found = [each for each in found if each[0] < begun]
                found += [(begun + at, each) for at, _, each in _spans(self._whole, block[begun:passed], MOST_A_LINE)]
                found.append((passed, mark))
        return found


def _line_end(block: bytes, place: int) -> int:
    end = block.find(b"\n", place)
    return len(block) if end < 0 else end


def _spans(pattern: Any, block: bytes, most_a_line: int | None = None) -> Iterator[tuple[int, int, Mark]]:
    """Start, end and kind of each mark. After `most_a_line` of them, the rest of a line is passed over."""
    position, line_end, on_line = 0, -1, 0
    while match := pattern.search(block, position):
        mark = _GROUPS[match.lastindex - 1]
        start, position = match.span()
        if most_a_line is not None:
            if start > line_end:
                line_end, on_line = _line_end(block, start), 0
            on_line += 1
            if on_line == most_a_line:
                # What else the line holds is not looked for, so that it is the careful reading's.
                yield start, start, Mark.UNUSUAL
                position = line_end
        end = match.end()
        if mark is Mark.PHONE and block[start] not in b"+(0123456789":
            start += 1  # RE2 has no look-behind: the pattern takes the byte before the number along
        if _holds(mark, block[start:end]):
            yield start, end, mark


def _holds(mark: Mark, text: bytes) -> bool:
    """Whether what looks like `mark` is one: a second look that a regular expression cannot take."""
    if mark is Mark.CARD:
        return _luhn(text)
    if mark is Mark.PHONE:
        return sum(0x30 <= byte <= 0x39 for byte in text) >= _MIN_PHONE_DIGITS
    return True


def _luhn(text: bytes) -> bool:
    """Whether the digits end in the check digit of ISO/IEC 7812-1, annex B, and are not all the same."""
    digits = [byte - 0x30 for byte in text if 0x30 <= byte <= 0x39]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def redacted(text: str) -> str:
    """`text` with what looks like a secret or personal data blacked out."""
    raw = text.encode("utf-8", "surrogatepass")
    parts: list[bytes] = []
    done = 0
    for start, end, mark in _spans(_PATTERN, raw):
        if mark not in SECRETS:
            continue
        parts += (raw[done:start], f"[{mark.value}]".encode())
        done = end
    if not done:
        return text
    return b"".join((*parts, raw[done:])).decode("utf-8", "surrogatepass")


def fields_with(value: Any, mark: Mark, path: str = "") -> Iterator[str]:
    """The paths of the texts within a row that hold `mark` (among the first thousand marks of a text)."""
    if isinstance(value, str):
        if _has(mark, value):
            yield path
    elif isinstance(value, dict):
        for key, part in value.items():
            if _has(mark, key):
                yield f"{path}.(a key)" if path else "(a key)"
            yield from fields_with(part, mark, f"{path}.{redacted(key)[:60]}" if path else redacted(key)[:60])
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from fields_with(part, mark, f"{path}[{place}]")


def _has(mark: Mark, text: str) -> bool:
    spans = _spans(_PATTERN, text.encode("utf-8", "surrogatepass"))
    return any(found is mark for _, _, found in islice(spans, _MOST_CANDIDATES))
