"""Whether an answer says what is expected: the stretch that it commits itself to, or else the value at its end."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from tunedrop.graders.math.commitment import (
    Commitment,
    ends_in_nothing,
    find_commitment,
    plain_ending,
    starts_with_value,
    visible,
)
from tunedrop.graders.math.contest import split_option
from tunedrop.graders.math.dress import (
    formulas,
    is_prose,
    sentence,
    spelling,
    undress,
    without_approximation,
    without_commands,
    without_name,
    words,
)
from tunedrop.graders.math.equivalence import equivalent
from tunedrop.graders.math.expected import Expected
from tunedrop.graders.math.quantity import Quantity, read_quantity
from tunedrop.graders.math.reading import readings
from tunedrop.graders.math.residues import congruent, split_modulus
from tunedrop.graders.math.scalars import MIN_DIGITS, rounds_to_percentage
from tunedrop.graders.math.units import Unit, leading_unit, split_value

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
    plain = plain_ending(answer) if expected.number is not None and not expected.percent else None
    if plain is not None:
        same = Fraction(plain.region.replace(",", "")) == expected.number
        if same or "." not in plain.region:  # else a rounded decimal may stand for a fraction
            return Verdict(same, plain.marker)
    text = visible(answer)
    commitment = find_commitment(text, textual=expected.textual)
    if ends_in_nothing(text, commitment):
        return Verdict(False, "nothing")
    if commitment is not None:
        return Verdict(_says(commitment, expected), commitment.marker)
    if not last_value:
        return Verdict(False, "nothing")
    bare = undress(text)
    bare = _SAYING.sub("", bare if "!" in expected.text else bare.rstrip("!"), count=1)
    if len(text) <= 400 and "\n" not in bare and _is_bare(bare, expected):
        is_it = _value_is(bare, expected)
        if is_it or not expected.textual:
            return Verdict(is_it, "none")
    found = _last_value(text[-MAX_TAIL:], expected)
    return Verdict(bool(found), "nothing" if found is None else "none")


def _says(commitment: Commitment, expected: Expected) -> bool:
    region = commitment.region
    whole = commitment.marker in ("boxed", "tag")
    if not whole and expected.number is None and spelling(undress(region)) == expected.spelling:
        return True
    if _value_is(undress(region) if whole else _leading_value(region), expected):
        return True
    # "The answer is that she has 72 apples left."
    return not (expected.textual or starts_with_value(region)) and bool(_last_value(region, expected))


_CONNECTED = re.compile(r"\s*(?:[,;]|(?:,\s*)?(?:and|or)\b|\\text\{\s*(?:and|or)\s*\})\s*", re.IGNORECASE)
_AFTERTHOUGHT = re.compile(
    r",?\s(?:because|since|so that|so\b(?!\s\d)|which|where|when|if\b|as\b(?!\s\d)|given\b|after\b|I hope|in total"
    r"|altogether)",
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
        after = _PERCENT_NEXT.match(region, parts[-1][1])
        return ", ".join(inner for _, _, inner in parts) + (" \\%" if after else "")
    first = sentence(region)
    cut = _AFTERTHOUGHT.search(first)
    return undress(first[: cut.start()] if cut else first)


_SAYING = re.compile(
    r"\A\$?[A-Za-z]\w{0,3}\$?\s{1,3}(?:is|equals|was)(?:\s(?:approximately|about|roughly|around|exactly|equal\sto))?\s{1,3}(?=[-+−$\\\d.])"
)
"""What says a value in words: "x is approximately 3.14"."""


def _is_bare(text: str, expected: Expected) -> bool:
    """Whether a whole text is nothing but a value."""
    return not is_prose(text) and (expected.textual or starts_with_value(text))


def _value_is(text: str, expected: Expected) -> bool:
    """Whether a text that is a value, perhaps with a unit, a name or an option's letter, is the expected one."""
    if expected.number is None and spelling(text) == expected.spelling:
        return True
    if expected.words and words(text) == expected.words:
        return True
    text = without_name(without_approximation(text))
    letter, option = split_option(text)
    if letter is not None and expected.letter is not None:
        return letter == expected.letter
    if letter is not None and option and _bare_value_is(option, expected):
        return True
    return _bare_value_is(text, expected)


def _bare_value_is(text: str, expected: Expected) -> bool:
    text, modulus = split_modulus(text)
    bare, unit = split_value(text, joined=expected.unit is not None)
    factor = _factor(unit, expected.unit)
    if factor is None or (modulus is not None and expected.modulus not in (None, modulus)):
        return False
    if unit is None or (expected.unit is None and expected.number is not None):
        bare = text  # what stands behind a plain number is looked at below
    plain = without_commands(bare) if "\\" in bare else bare
    found = _plain_number(plain) if expected.number is not None and "\\" not in plain and "{" not in plain else None
    if found is not None and expected.number is not None:
        if _same_quantity(found, expected, factor):
            return True
        if modulus is not None and expected.modulus is not None:
            whole = found.value.denominator == 1 == expected.number.denominator
            return whole and congruent(int(found.value), int(expected.number), modulus)
        if (found.decimals or 0) < MIN_DIGITS:  # else a rounded decimal may stand for a fraction
            return False
    return factor == 1 and any(
        equivalent(reference, meaning) for reference in expected.meanings for meaning in readings(bare)
    )


def _factor(given: Unit | None, expected: Unit | None) -> Fraction | None:
    """How many of the expected unit one of the given is; 1 where one has none, None where they measure other things."""
    return Fraction(1) if given is None or expected is None else given.per(expected)


def _same_quantity(found: Quantity, expected: Expected, factor: Fraction) -> bool:
    if expected.number is None:
        return False
    if factor == 1 and expected.unit is not None:
        behind = _factor(leading_unit(found.rest), expected.unit)
        if behind is None:
            return False
        factor = behind
    if factor != 1:
        return found.value * factor == expected.number
    return found.equals(expected.number) or _percent_equals(found, expected)


def _percent_equals(found: Quantity, expected: Expected) -> bool:
    """28 % may be asked for as 28 or as 0.28, and a reference of 28 % may be answered so."""
    if expected.number is None:
        return False
    if found.percent and not expected.percent:
        return found.value == expected.number * 100 or rounds_to_percentage(
            found.value, found.decimals, expected.number * 100
        )
    if expected.percent and not found.percent:
        return found.value * 100 == expected.number
    return False


# ---- plain numbers ------------------------------------------------------------------------------------------------

_DRESSING = re.compile(
    r"""[\s*_"'`“‘(\[=:~≈]*(?:(?:approximately|about|around|roughly|exactly|only|just|a\stotal\sof|equal\sto)\s+)?(?:\()?""",
    re.VERBOSE | re.IGNORECASE,
)
_FORMULA_GOES_ON = re.compile(r"\s*(?:[+*/^=×÷<>≤≥−–]|-\s*\d|x\s*\d|\*\*|[²³!√π]|[$€£]?-?\d)|\(")
_ANOTHER = re.compile(
    r"""\s*\(?(?:[,;/&|]\s*|,?\s*(?:or|and|to|through|versus|vs\.?)\s+|\.\.+\s*)(?:maybe\s|possibly\s|perhaps\s|also\s)?
    [\s$€£(]*[-+−]?(?:\d|\.\d|(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty
    |fifty|sixty|seventy|eighty|ninety)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT_THEN_OTHER = re.compile(
    r"\s*([A-Za-z°'²³]{1,20})\s*(?:[A-Za-z°'²³]{1,20}\s*)?(?:/|,?\s*\bor)\s*(?:maybe\s|possibly\s|perhaps\s)?"
    r"[$€£(]*[-+−]?\d[\d.,]*\s?([A-Za-z°'²³]{0,20})",
    re.IGNORECASE,
)
_FULL_HOUR = re.compile(r":00\b(?!:)")
_DOLLARS_AND_CENTS = re.compile(r"\s*dollars?\s+and\s+(\d{1,2})\s+cents?\b", re.IGNORECASE)
_VARIABLE = re.compile(
    r"\s?(?:[b-fijknopqrtuvwxyzB-FIJMOPQRTUXYZ](?![A-Za-z.])|(?:pi|sqrt|sin|cos|tan|log|ln|mod|choose|squared|cubed)\b)"
)
_JOINED_LETTER = re.compile(r"(?![mgshlLAVWNJCFK°](?![A-Za-z]))[A-Za-z](?![A-Za-z])")


def _plain_number(text: str) -> Quantity | None:
    """The one number that a text says, with its unit or without; None where it says a formula, several, or none."""
    quantity = read_quantity(text, _DRESSING.match(text).end())  # type: ignore[union-attr]  # matches even nothing
    if quantity is None:
        return None
    rest = quantity.rest
    if rest.startswith(("...", "…")):  # 0.333... goes on
        return None
    full_hour = _FULL_HOUR.match(rest)
    if full_hour is not None:  # 7:00 PM is 7
        rest = rest[full_hour.end() :]
    if not rest.strip(" \t.)]*_\"'”"):
        return quantity
    cents = _DOLLARS_AND_CENTS.match(rest)
    if cents is not None:
        return replace(quantity, value=quantity.value + Fraction(int(cents[1]), 100), scaled=None)
    if (
        re.match(r"[.:]\d", rest)
        or _FORMULA_GOES_ON.match(rest)
        or _ANOTHER.match(rest)
        or _names_another(rest)
        or _VARIABLE.match(rest)
        or _JOINED_LETTER.match(rest)
    ):
        return None
    return quantity


def _names_another(rest: str) -> bool:
    """Whether another number of the same kind is offered ("72 clips or 73"); "160 minutes or 2 hours" says it twice."""
    match = _UNIT_THEN_OTHER.match(rest)
    return match is not None and match[2].lower().rstrip("s") in ("", match[1].lower().rstrip("s"), "or", "and")


# ---- unmarked answers ---------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"(?<![\w.,\\])(?:[-−–](?=[$€£]?[\d.]))?[$€£]?(?<!\w)(?:\d[\d,]*(?:\.\d+)?|\.\d+)", re.ASCII)
_OPERAND_BEFORE = re.compile(r"[\d)%]\s?[+*/×÷^−-]\s?[$€£]?$")
_OTHER_BEFORE = re.compile(r"\d[^\d.!?\n]{0,12}\s(?:or|to)\s(?:maybe\s|possibly\s|perhaps\s)?[$€£]?$")
_DENIED_BEFORE = re.compile(
    r"\b(?:not|never|isn['’]t|wasn['’]t|cannot be|can['’]t be)\s(?:be\s)?[$€£]?$", re.IGNORECASE
)
_BOLD = re.compile(r"(?<![\w)\]}])\*\*(?=\S)([^*\n]{1,120}?)\*\*(?![\w(])", re.ASCII)
_CALCULATION = re.compile(r"<<[^<>\n]{0,100}>>")
_ASIDE = re.compile(
    r"(?<=[A-Za-z\d%]) \((?!(?:or|maybe|perhaps|possibly)\s[$€£]?\d[\d.,]*\))[^()\n]{1,80}\)(?=[^()\n]{0,200}$)"
)
"""Brackets in the last line after a value: "160 minutes (or 2 hours and 40 minutes)", but not "72 (or 73)"."""
_NEXT_CLAUSE = re.compile(r"[,;:]|\b(?:so|leaving|left with|which|then|therefore|means)\b")
_CIRCUMSTANCE = re.compile(
    r"\b(?:in|for|per|after|over|every|within|during|out of|than|each|of|at|on)\s"
    r"(?:the\s|just\s|only\s|all\s|these\s|those\s)?[$€£]?$"
)
_NUMBERS_ALONE = re.compile(r"[\d\s.,;|/$€£+-]+")
_SENTENCES = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z])|(?<=[。।؟])\s*|\s(?=因此|所以|故|结论|لذا|إذن|इसलिए|अतः)|\s(?=\d\.\s\*\*)"
)
_PERCENT_NEXT = re.compile(r"\s*(?:\\?%|percent\b|pct\b)")


def _last_value(tail: str, expected: Expected) -> bool | None:
    """Whether the value that an unmarked text ends with is the expected one; None where it has no value."""
    tail = _CALCULATION.sub("", tail).rstrip()
    tail = tail[: tail.rfind("\n") + 1] + _ASIDE.sub("", tail[tail.rfind("\n") + 1 :])
    last_line = tail.rsplit("\n", 1)[-1]
    bold = [match[1] for match in _BOLD.finditer(last_line) if re.search(r"\d", match[1]) or expected.textual]
    if bold and _is_bare(bold[-1], expected):
        return _value_is(undress(bold[-1]), expected)
    if expected.textual:
        ending = words(last_line)
        return bool(expected.words) and (ending == expected.words or ending.endswith(" " + expected.words))
    spans = formulas(tail)
    numbers = [match for match in _NUMBER.finditer(tail) if not _is_part_of_a_word(tail, match.end())]
    if spans and (not numbers or spans[-1][1] > numbers[-1].start()):
        after = _PERCENT_NEXT.match(tail, spans[-1][1])
        return _value_is(undress(spans[-1][2]) + (" \\%" if after else ""), expected)
    if not numbers:
        return None
    begin, end = _last_sentence(tail, numbers[-1].start())
    if len(numbers) > 3 and _NUMBERS_ALONE.fullmatch(tail, begin, end):  # every number at once says none
        return False
    return _number_is(
        tail[:end], _telling(tail, begin, [match.start() for match in numbers if match.start() >= begin]), expected
    )


def _is_part_of_a_word(text: str, end: int) -> bool:
    """Whether letters that are no unit follow at once, as in 2A or 3x."""
    following = re.match(r"[A-Za-z_]+", text[end : end + 30])
    return following is not None and len(following[0]) == 1 and following[0] not in "mgshlLkKMB"


def _last_sentence(text: str, number: int) -> tuple[int, int]:
    """Where the sentence that holds the number begins and ends."""
    line = text.rfind("\n", 0, number) + 1
    end = text.find("\n", number)
    begin = line
    for match in _SENTENCES.finditer(text, line, number):
        begin = match.end()
    return begin, len(text) if end < 0 else end


def _telling(text: str, begin: int, numbers: list[int]) -> int:
    """Which number of the last sentence is its result.

    The one after the last `=`, unless another clause follows; else the last one that is no circumstance ("in 2 days").
    On the solutions of GSM8K's training set without their last line this finds 7,404 of 7,473 answers; the last number
    of all, as other graders have it, 7,265.
    """
    equals = text.rfind("=", begin)
    after = [number for number in numbers if number > equals] if equals >= 0 else []
    if after:
        between = text[after[0] + 1 : after[-1]]
        return after[-1] if _NEXT_CLAUSE.search(between) else after[0]
    while len(numbers) > 1 and _CIRCUMSTANCE.search(text[max(begin, numbers[-1] - 40) : numbers[-1]]):
        numbers = numbers[:-1]
    return numbers[-1]


def _number_is(text: str, start: int, expected: Expected) -> bool:
    """Whether the number at `start`, with the fraction or mixed number that it is part of, is the expected one."""
    start = _start_of_fraction(text, start)
    before = text[max(0, start - 60) : start]
    if any(pattern.search(before) for pattern in (_OPERAND_BEFORE, _OTHER_BEFORE, _DENIED_BEFORE)):
        return False
    quantity = read_quantity(text, start)
    if quantity is None or expected.number is None:
        return expected.number is None and _value_is(undress(text[start : start + 60]), expected)
    return _same_quantity(quantity, expected, Fraction(1))


def _start_of_fraction(text: str, start: int) -> int:
    before = text[max(0, start - 30) : start]
    above = re.search(r"(?<![\w.,/])[-−]?\d{1,20}\s?/\s?$", before, re.ASCII)
    if above is not None:
        start -= len(before) - above.start()
        before = text[max(0, start - 12) : start]
    whole = re.search(r"(?<![\w.,/])[-−]?\d{1,9}\s$", before, re.ASCII)
    if whole is not None and re.match(r"\d{1,20}\s?/\s?\d", text[start : start + 24]):
        start -= len(before) - whole.start()
    return start
