"""One line as RFC 8259 has it: accepted or refused to the letter, with what is legal but risky named.

This is the careful reading, for lines that the fast one (orjson) refuses or that look unusual; it says where and why.
What the RFC leaves open is decided here: lone surrogates and numbers beyond a double are accepted with a warning, a
byte order mark belongs to the file (see `lines`), and nesting beyond `MAX_DEPTH` is refused as a limit of this reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isinf
from typing import Any, Final

from jiter import from_json

from tunedrop.dataset.bounds import MAX_DEPTH
from tunedrop.dataset.show import shown

MAX_INTEGER_DIGITS: Final = 4_300
"""Python's own limit for turning digits into a number (`sys.int_info.default_max_str_digits`)."""
_DOUBLE_DIGITS: Final = 309
"""A whole number with more digits is beyond the largest double, 1.8e308."""

# A string, whether or not it ends: what is left outside of strings is the structure. The last alternative makes every
# quote the start of a match, so that the search never goes back and stays linear.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PYTHON_WORDS = re.compile(r"[:\[,]\s*(?:None|True|False)\b")


@dataclass(frozen=True, slots=True)
class Fault:
    """What a line does wrong: a rule's id and the words of its finding."""

    rule: str
    message: str
    expected: str | None = None
    got: str = ""
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A line, read. `value` is what it says, where `accepted`; `faults` are the findings, also of an accepted line."""

    accepted: bool
    value: Any
    faults: tuple[Fault, ...]


def read_line(line: bytes) -> Reading:
    """Read one line (without its line feed), in time linear in its length, whatever it holds. Never raises."""
    if b"\x00" in line:
        place = line.index(b"\x00")
        count = line.count(b"\x00")
        return _refused(
            Fault("encoding-nul", f"byte {place + 1} of the line is zero ({count} in all)", got=f"{count} zero bytes")
        )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return _refused(_not_utf8(line, error))
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH:
        depth = _depth(text)
        if depth > MAX_DEPTH:
            return _refused(Fault("json-depth", f"nested {depth:,} levels deep", got=f"{depth:,} levels"))
    return _Reader().read(text)


def read_quickly(line: bytes) -> Reading | None:
    """What `read_line` says of a line that it accepts without a word, in a tenth of the time; None for any other.

    The caller makes sure that no number is beyond a double: this parser does not tell.
    """
    try:
        value = from_json(line, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        return None
    return Reading(True, value, ())


def _refused(fault: Fault) -> Reading:
    return Reading(False, None, (fault,))


def _not_utf8(line: bytes, error: UnicodeDecodeError) -> Fault:
    bad = line[error.start : error.start + 4]
    hint = None
    if b"\xed" <= bad[:1] <= b"\xed" and b"\xa0" <= bad[1:2] <= b"\xbf":
        hint = "These are the bytes of half a surrogate pair (CESU-8 or a cut emoji); write the text again as UTF-8."
    elif bad[:1] >= b"\xa0":
        hint = "It may be Latin-1 or Windows-1252: iconv -f WINDOWS-1252 -t UTF-8 FILE."
    return Fault(
        "encoding-utf8",
        f"byte {error.start + 1} of the line is not UTF-8 ({error.reason})",
        got="0x" + bad[:1].hex(),
        hint=hint,
    )


def _depth(text: str) -> int:
    """The deepest level of brackets outside of strings; an upper bound for text that is not JSON."""
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


class _Constant(ValueError):
    """The text has NaN or Infinity where a value belongs."""


class _Reader:
    """The standard library's parser with its leniencies taken away and its silences broken."""

    def __init__(self) -> None:
        self._repeated: dict[str, int] = {}
        self._large = 0

    def read(self, text: str) -> Reading:
        loads: Callable[..., Any] = json.loads
        try:
            value = loads(
                text,
                object_pairs_hook=self._pairs,
                parse_constant=self._constant,
                parse_int=self._integer,
                parse_float=self._real,
            )
        except _Constant as error:
            return _refused(Fault("json-constant", f"`{error}` is not JSON", got=str(error)))
        except json.JSONDecodeError as error:
            return _refused(_syntax(text, error))
        except RecursionError:  # a Python built with a smaller stack than MAX_DEPTH needs
            return _refused(Fault("json-depth", "nested too deep to be read"))
        faults = [
            Fault(
                "duplicate-key",
                f"the key {shown(key)} occurs {count} times in one object",
                got=f"{count} times {shown(key)}",
            )
            for key, count in self._repeated.items()
        ]
        if self._large:
            faults.append(
                Fault("number-range", f"{self._large} number(s) too large for a double", got="a larger number")
            )
        if "\\u" in text and _has_lone_surrogate(value):
            faults.append(Fault("lone-surrogate", "an escape such as \\ud83d stands alone", got="half of a pair"))
        return Reading(True, value, tuple(faults))

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counts: dict[str, int] = {}
            for key, _ in pairs:
                counts[key] = counts.get(key, 0) + 1
            self._repeated.update({key: count for key, count in counts.items() if count > 1})
        return made

    @staticmethod
    def _constant(name: str) -> Any:
        raise _Constant(name)

    def _integer(self, digits: str) -> int | float:
        if len(digits) < _DOUBLE_DIGITS:
            return int(digits)
        number = float(digits)
        if isinf(number) or len(digits) > MAX_INTEGER_DIGITS:
            self._large += 1
            return number
        return int(digits)

    def _real(self, digits: str) -> float:
        number = float(digits)
        self._large += isinf(number)
        return number


def _has_lone_surrogate(value: Any) -> bool:
    """Whether any text in `value` holds half of a surrogate pair (depth is at most MAX_DEPTH)."""
    if isinstance(value, str):
        return _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(_has_lone_surrogate(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_has_lone_surrogate(part) for part in value)
    return False


# The parser's words, in those of a finding: message, expected.
_WORDS: Final = {
    "Expecting value": ("a value is missing or misspelt", "a value"),
    "Expecting ',' delimiter": ("something stands between two values", "a comma or a closing bracket"),
    "Expecting ':' delimiter": ("a key without its colon", "a colon"),
    "Expecting property name enclosed in double quotes": (
        "a key is missing or without double quotes",
        "a key in double quotes",
    ),
    "Illegal trailing comma before end of object": (
        "a comma before the closing bracket",
        "no comma after the last value",
    ),
    "Illegal trailing comma before end of array": (
        "a comma before the closing bracket",
        "no comma after the last value",
    ),
    "Unterminated string starting at": ("a string does not end", "a closing double quote"),
    "Invalid control character at": (
        "a raw control character within a string",
        "control characters as escapes, such as \\n",
    ),
    "Invalid \\escape": ("an escape that JSON does not have", '\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t or \\uXXXX'),
    "Invalid \\uXXXX escape": ("an escape with too few hexadecimal digits", "four hexadecimal digits after \\u"),
    "Extra data": ("something follows the object", "the end of the line"),
}


def _syntax(text: str, error: json.JSONDecodeError) -> Fault:
    kind = error.msg.removesuffix(": ").removesuffix(":")
    message, expected = _WORDS.get(kind, (kind[:1].lower() + kind[1:], "JSON"))
    place = error.pos
    got = shown(text[place : place + 20]) if place < len(text) else "the end of the line"
    if place >= len(text) and kind != "Unterminated string starting at":
        message = "the line ends too early"
    return Fault("json-syntax", f"{message}, at character {place + 1}", expected, got, _syntax_hint(text, kind, place))


CONVERT: Final = "tunedrop convert FILE --output train.jsonl"
_COMMENT: Final = "JSON has no comments: leave the line out."
_PRINTED: Final = "This looks like a printed Python dict: write it with json.dumps."
_EXTRA: Final = {
    "": "A comma ends the line: leave it out.",
    **dict.fromkeys("[{", "Two rows share this line: put each on its own line."),
}


def _syntax_hint(text: str, kind: str, place: int) -> str | None:
    stripped = text.strip()
    if kind == "Extra data" and stripped[:1] in "{[":
        return _EXTRA.get(text[place:].lstrip(", \t\r")[:1])
    if stripped in ("[", "{"):
        return f"The file looks like one JSON document over several lines; to make rows of it: {CONVERT}."
    if stripped.startswith(("{'", "//", "#", "/*")) or _PYTHON_WORDS.search(text):
        return _COMMENT if stripped[:1] in "/#" else _PRINTED
    if place == len(text) - len(text.lstrip()) and stripped[:1] not in ("{", "[", '"'):
        return f"The line is no JSON; to make rows of a table: {CONVERT}."
    if place >= len(text) or kind == "Unterminated string starting at":
        return "The row is cut off, or a raw line break splits it: write line breaks within texts as \\n."
    return None
