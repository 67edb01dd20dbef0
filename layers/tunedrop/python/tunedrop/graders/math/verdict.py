"""Whether an answer says what is expected: the stretch that it commits itself to, or else the value at its end."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from tunedrop.graders.math.commitment import Commitment, find_commitment, starts_with_value, visible
from tunedrop.graders.math.dress import formulas, is_prose, sentence, spelling, undress, words
from tunedrop.graders.math.equivalence import equivalent
from tunedrop.graders.math.expected import Expected
from tunedrop.graders.math.quantity import Quantity, read_quantity
from tunedrop.graders.math.reading import readings

MAX_TAIL = 1_500
"""How much of the end of an unmarked answer can hold its value."""


class Verdict(NamedTuple):
    """Whether the answer is right, and by which marker it said so ("none": its last value; "nothing": no value)."""

    correct: bool
    marker: str


def judge(answer: str, expected: Expected, *, last_value: bool = True) -> Verdict:
    """Whether an answer gives the expected value.

    `last_value`: where nothing is marked, the last value of the text is the answer (else there is none).
    """
    text = visible(answer)
    commitment = find_commitment(text, textual=expected.textual)
    if commitment is not None:
        return Verdict(_says(commitment, expected), commitment.marker)
    if not last_value:
        return Verdict(False, "nothing")
    bare = undress(text)
    if len(text) <= 400 and "\n" not in bare and _is_bare(bare):
        return Verdict(_value_is(bare, expected), "none")
    found = _last_value(text[-MAX_TAIL:], expected)
    return Verdict(bool(found), "nothing" if found is None else "none")


def _says(commitment: Commitment, expected: Expected) -> bool:
    region = commitment.region
    if commitment.marker in ("boxed", "tag"):
        return _value_is(undress(region), expected)
    if spelling(undress(region)) == expected.spelling:
        return True
    return _value_is(_leading_value(region), expected)


_CONNECTED = re.compile(r"\s*(?:[,;]|(?:,\s*)?(?:and|or)\b|\\text\{\s*(?:and|or)\s*\})\s*", re.IGNORECASE)
_AFTERTHOUGHT = re.compile(
    r",?\s(?:because|since|so that|so\b(?!\s\d)|which|where|when|if\b|as\b(?!\s\d)|given\b|after\b|I hope|in total|altogether)",
    re.IGNORECASE,
)


def _leading_value(region: str) -> str:
    """The value that a line begins with: its formulas with what connects them, or its first sentence up to a clause."""
    region = region.strip()
    spans = formulas(region)
    lead = region.lstrip("*_:= ")
    if spans and spans[0][0] <= len(region) - len(lead):
        parts = [spans[0]]
        for span in spans[1:]:
            if not _CONNECTED.fullmatch(region, parts[-1][1], span[0]):
                break
            parts.append(span)
        after = re.match(r"\s*(?:\\?%|percent\b|pct\b)", region[parts[-1][1] :])
        return ", ".join(inner for _, _, inner in parts) + (" \\%" if after else "")
    first = sentence(region)
    cut = _AFTERTHOUGHT.search(first)
    return undress(first[: cut.start()] if cut else first)


def _is_bare(text: str) -> bool:
    """Whether a whole text is nothing but a value."""
    return not is_prose(text) and (starts_with_value(text) or len(text.split()) <= 3)


def _value_is(text: str, expected: Expected) -> bool:
    """Whether a text that is a value, perhaps with a unit or a name, is the expected one."""
    if expected.number is not None and "\\" not in text and "{" not in text:
        found = _plain_number(text)
        if found is not None:
            return found.equals(expected.number) or _percent_equals(found, expected)
    if spelling(text) == expected.spelling or (expected.words != "" and words(text) == expected.words):
        return True
    given = readings(text)
    if not given:
        option = re.match(r"\(?([A-J])[).:]\s", text)
        if option is not None and expected.textual:
            return option[1] == expected.words.upper()
        return False
    return any(equivalent(reference, meaning) for reference in expected.meanings for meaning in given)


def _percent_equals(found: Quantity, expected: Expected) -> bool:
    """28 % may be asked for as 28 or as 0.28, and a reference of 28 % may be answered so."""
    if expected.number is None:
        return False
    if found.percent and not expected.percent:
        return found.value == expected.number * 100
    if expected.percent and not found.percent:
        return found.value * 100 == expected.number
    return False


# ---- plain numbers ------------------------------------------------------------------------------------------------

_DRESSING = re.compile(
    r"""[\s*_"'`“‘(\[=:~≈]*(?:(?:approximately|about|around|roughly|exactly|only|just|a\stotal\sof|equal\sto)\s+)?(?:\()?""",
    re.VERBOSE | re.IGNORECASE,
)
_FORMULA_GOES_ON = re.compile(r"\s*(?:[+*/^=×÷<>≤≥−–]|-\s*\d|x\s*\d|\*\*|[²³!√π]|\(\d)")
_FORMULA = re.compile(r"[\d\s.,+*/×÷=()^%$€£x!<>²³−–-]+")
_ANOTHER = re.compile(
    r"""\s*(?:[,;/&|]\s*|,?\s*(?:or|and|to|through|versus|vs\.?)\s+|\.\.+\s*)(?:maybe\s|possibly\s|perhaps\s|also\s)?
    [\s$€£(]*[-+−]?(?:\d|\.\d|(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty
    |fifty|sixty|seventy|eighty|ninety)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT_THEN_OTHER = re.compile(
    r"\s*[A-Za-z°'²³]{1,20}\s*(?:[A-Za-z°'²³]{1,20}\s*)?(?:/|,?\s*\bor)\s*(?:maybe\s|possibly\s|perhaps\s)?[$€£(]*[-+−]?\d",
    re.IGNORECASE,
)
_DOLLARS_AND_CENTS = re.compile(r"\s*dollars?\s+and\s+(\d{1,2})\s+cents?\b", re.IGNORECASE)
_VARIABLE = re.compile(
    r"\s?(?:[b-fijknopqrtuvwxyzB-FIJMOPQRTUXYZ](?![A-Za-z.])|(?:pi|sqrt|sin|cos|tan|log|ln|mod|choose|squared|cubed)\b)"
)  # noqa: E501
_JOINED_LETTER = re.compile(r"(?![mgshlLAVWNJCFK°](?![A-Za-z]))[A-Za-z](?![A-Za-z])")


def _plain_number(text: str) -> Quantity | None:
    """The one number that a text says, with its unit or without; None where it says a formula, several, or none."""
    quantity = read_quantity(text, _DRESSING.match(text).end())  # type: ignore[union-attr]  # matches even nothing
    if quantity is None:
        return None
    rest = quantity.rest
    if not rest.strip(" \t.)]*_\"'”!"):
        return quantity
    cents = _DOLLARS_AND_CENTS.match(rest)
    if cents is not None:
        return replace(quantity, value=quantity.value + Fraction(int(cents[1]), 100), scaled=None)
    if (
        rest[:1].isdigit()
        or re.match(r"[.:]\d", rest)
        or _FORMULA_GOES_ON.match(rest)
        or _ANOTHER.match(rest)
        or _UNIT_THEN_OTHER.match(rest)
        or _VARIABLE.match(rest)
        or _JOINED_LETTER.match(rest)
    ):
        return None
    return quantity


_NUMBER_AT_END = re.compile(
    r"(?<![\w.,\\])(?:[-−–](?=[$€£]?[\d.]))?[$€£]?(?<!\w)(?:\d[\d,]*(?:\.\d+)?|\.\d+)", re.ASCII
)
_OPERAND_BEFORE = re.compile(r"[\d)%]\s*[+*/×÷^−-]\s*[$€£]?$")
_OTHER_BEFORE = re.compile(r"\d[^\d.!?\n]{0,12}\s(?:or|to)\s+(?:maybe\s|possibly\s|perhaps\s)?[$€£]?$")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,120}?)\*\*")


def _last_value(tail: str, expected: Expected) -> bool | None:
    """Whether the last value of an unmarked text is the expected one; None where it has no value."""
    last_line = tail.rstrip().rsplit("\n", 1)[-1]
    bold = [match[1] for match in _BOLD.finditer(last_line) if re.search(r"\d", match[1]) or expected.textual]
    if bold and _is_bare(bold[-1]):
        return _value_is(undress(bold[-1]), expected)
    if expected.textual:
        ending = words(last_line)
        return bool(expected.words) and (ending == expected.words or ending.endswith(" " + expected.words))
    spans = formulas(tail)
    number = _last_number(tail)
    if spans and (number is None or spans[-1][1] > number[0]):
        after = re.match(r"\s*(?:\\?%|percent\b|pct\b)", tail[spans[-1][1] :])
        return _value_is(undress(spans[-1][2]) + (" \\%" if after else ""), expected)
    if number is None:
        return None
    start, _ = number
    return _number_says(tail, start, expected)


def _last_number(tail: str) -> tuple[int, int] | None:
    found = None
    for match in _NUMBER_AT_END.finditer(tail):
        if not re.match(r"[A-Za-z_]", tail[match.end() : match.end() + 1]) or re.match(
            r"[A-Za-z]{2,}|[mgshlLkK%](?![A-Za-z])", tail[match.end() :]
        ):
            found = match.span()
    return found


def _number_says(tail: str, start: int, expected: Expected) -> bool:
    before = tail[max(0, start - 60) : start]
    fraction = re.search(r"(?<![\w.,/])([-−]?\d+(?:\s\d+)?)\s?/\s?$", before)
    at = start - (len(before) - fraction.start()) if fraction else start
    mixed = re.search(r"(?<![\w.,/])[-−]?\d+\s$", tail[max(0, at - 12) : at])
    if mixed and re.match(r"\d+\s?/\s?\d", tail[at : at + 24]):
        at -= len(tail[max(0, at - 12) : at]) - mixed.start()
    before = tail[max(0, at - 60) : at]
    if _OPERAND_BEFORE.search(before) or _OTHER_BEFORE.search(before):
        return False
    quantity = read_quantity(tail, at)
    if quantity is None or expected.number is None:
        return expected.number is None and _value_is(undress(tail[at : at + 60]), expected)
    return quantity.equals(expected.number) or _percent_equals(quantity, expected)
