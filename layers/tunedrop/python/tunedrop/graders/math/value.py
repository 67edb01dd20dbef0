"""Whether a text that is nothing but a value is the expected one."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.clock_times import clock_time, same_time
from tunedrop.graders.math.contest import split_option
from tunedrop.graders.math.dress import (
    names_same_set,
    spelling,
    split_approximation,
    without_commands,
    without_name,
    words,
)
from tunedrop.graders.math.equivalence import equivalent
from tunedrop.graders.math.expected import Expected
from tunedrop.graders.math.meaning import Formula, Meaning
from tunedrop.graders.math.quantity import Quantity, read_quantity
from tunedrop.graders.math.reading import readings
from tunedrop.graders.math.residues import congruent, residue_class, split_modulus
from tunedrop.graders.math.scalars import MIN_DIGITS, rounds_to_percentage
from tunedrop.graders.math.side_notes import with_constant, without_notes
from tunedrop.graders.math.units import Unit, combined, leading_unit, read_unit, split_value


def value_is(text: str, expected: Expected) -> bool:
    """Whether a text that is a value, perhaps with a unit, a name or an option's letter, is the expected one."""
    if expected.number is None and spelling(text) == expected.spelling:
        return True
    same_words = bool(expected.words) and words(text) == expected.words
    same_share = expected.number is not None and _share(text) == expected.number
    if same_words or same_share or names_same_set(text, expected.text):
        return True
    given = None if expected.clock is None else clock_time(text)
    same = None if given is None or expected.clock is None else same_time(expected.clock, given)
    if same is not None:
        return same
    if ":" in expected.bare:
        text = _RATIO_IN_WORDS.sub(":", text)
    exact, about = split_approximation(text)
    if about and "." in expected.bare and _bare_value_is(about, expected):  # the reference is the decimal
        return True
    text = with_constant(without_notes(without_name(exact)), expected.bare)
    letter, option = split_option(text)
    if letter is not None and expected.letter is not None:
        return letter == expected.letter
    return (letter is not None and bool(option) and _bare_value_is(option, expected)) or _bare_value_is(text, expected)


_OUT_OF = late(r"(\d{1,9})\s{1,3}out\s{1,3}of\s{1,3}(?:every\s{1,3})?(\d{1,9})", re.ASCII)
"""`5 out of 8` is 5, and 5/8."""


def _share(text: str) -> Fraction | None:
    part = _OUT_OF.fullmatch(text)
    return Fraction(int(part[1]), int(part[2])) if part is not None and int(part[2]) else None


_RATIO_IN_WORDS = late(r"(?<=\d)\s{1,3}to\s{1,3}(?=\d)")


def _bare_value_is(text: str, expected: Expected) -> bool:
    text, modulus = split_modulus(combined(text) if expected.unit is not None else text)
    if expected.modulus is not None and expected.number is not None and (named := residue_class(text)) is not None:
        whole = expected.number.denominator == 1 and named[1] == expected.modulus
        return whole and congruent(named[0], int(expected.number), expected.modulus)
    bare, unit = split_value(text, joined=expected.unit is not None)
    factor = _factor(unit, expected.unit)
    if factor is None or (modulus is not None and expected.modulus not in (None, modulus)):
        return False
    measured = bare if unit is not None and "=" in bare else ""  # v = 5 m/s
    if unit is None or (expected.unit is None and expected.number is not None):
        bare = text  # what stands behind a plain number is looked at below
    plain = without_commands(bare) if "\\" in bare else bare
    found = plain_number(plain) if expected.number is not None and "\\" not in plain and "{" not in plain else None
    if found is not None and expected.number is not None:
        if same_quantity(found, expected, factor):
            return True
        if modulus is not None and expected.modulus is not None:
            whole = found.value.denominator == 1 == expected.number.denominator
            return whole and congruent(int(found.value), int(expected.number), modulus)
        if (
            found.decimals is not None and found.decimals < MIN_DIGITS
        ):  # else a rounded decimal may stand for a fraction
            return False
    wanted = [one if factor == 1 else _in_units(one, factor) for one in expected.meanings]
    meant = (*readings(bare), *readings(measured)) if measured else readings(bare)
    return any(equivalent(one, meaning) for one in wanted if one is not None for meaning in meant)


def _in_units(meaning: Meaning, size: Fraction) -> Meaning | None:
    """How many units of this size a value is: 45 minutes are 3/4 of an hour; None where it is no single value."""
    return Formula(("/", meaning.node, ("number", size))) if isinstance(meaning, Formula) else None


def _factor(given: Unit | None, expected: Unit | None) -> Fraction | None:
    """How many of the expected unit one of the given is; 1 where one has none, None where they measure other things."""
    return Fraction(1) if given is None or expected is None else given.per(expected)


def same_quantity(found: Quantity, expected: Expected, factor: Fraction) -> bool:
    """Whether a number is the expected one, where its unit is `factor` of the expected one's."""
    if expected.number is None:
        return False
    if found.grouped == expected.number and _MONEY_BEHIND.match(found.rest):
        return True
    if factor == 1 and expected.unit is not None:
        behind = _factor(leading_unit(found.rest), expected.unit)
        if behind is None:
            return False
        factor = behind
    if factor != 1:
        return found.value * factor == expected.number
    return found.value == expected.scaled or found.equals(expected.number) or _percent_equals(found, expected)


def _percent_equals(found: Quantity, expected: Expected) -> bool:
    """28 % may be asked for as 28 or as 0.28, and a reference of 28 % may be answered so."""
    if expected.number is None:
        return False
    if found.percent and expected.percent:
        return rounds_to_percentage(found.value, found.decimals, expected.number)
    if found.percent and not expected.percent:
        return found.value == expected.number * 100 or rounds_to_percentage(
            found.value, found.decimals, expected.number * 100
        )
    if expected.percent and not found.percent:
        return found.value * 100 == expected.number
    return False


_MONEY_BEHIND = late(
    r"\s?[*_]{0,2}\s?(?:[€₺₫₽]|R\$|Rp\b|zł|kr\b|(?:Euros?|EUR|Dollar|d[oó]lare?s|pesos|reais|Kronen|Franken|CHF|lir[ae]"
    r"|rupiah|TL|VND|đồng)\b)",
    re.IGNORECASE,
)
"""Money as languages name it in which a point parts thousands."""


_DRESSING = late(
    r"""[\s*_"'`“‘(\[=:~≈]*(?:(?:approximately|about|around|roughly|exactly|only|just|a\stotal\sof|equal\sto)\s+)?(?:\()?""",
    re.VERBOSE | re.IGNORECASE,
)
_FORMULA_GOES_ON = late(r"\s*(?:[+*/^=×·⋅∙∗÷∕⁄<>≤≥−–±]|-\s*\d|x\s*\d|\*\*|[²³!√π]|[$€£]?-?\d)|\(")
_ANOTHER = late(
    r"""\s*\(?(?:[,;/&|]\s*|,?\s*(?:or|and|to|through|versus|vs\.?)\s+|\.\.+\s*)(?:maybe\s|possibly\s|perhaps\s|also\s)?
    [\s$€£(]*[-+−]?(?:\d|\.\d|(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty
    |fifty|sixty|seventy|eighty|ninety)\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT_THEN_OTHER = late(
    r"\s*([A-Za-z°'²³]{1,20})\s*(?:[A-Za-z°'²³]{1,20}\s*)?(?:/|,?\s*\bor)\s*(?:maybe\s|possibly\s|perhaps\s)?"
    r"[$€£(]*[-+−]?\d[\d.,]*\s?([A-Za-z°'²³]{0,20})",
    re.IGNORECASE,
)
_AND_MORE = late(r"\s*[A-Za-z]{1,20}(?:\s[A-Za-z]{1,20})?,?\s+(?:and|&)\s+[$€£]?\d")
"""`2 hours and 30 minutes`, `12 apples and 3 pears`: no single number."""
_TAKEN_BACK = late(
    r"\s*[(\[,–—-]?\s*(?:(?:which|that|this)\s)?(?:(?:is|was)\s)?(?:wrong|incorrect|false|not\s(?:right|correct))\b"
)
"""`17 (wrong), 18 (right)`."""
_FULL_HOUR = late(r":00\b(?!:)")
_DOLLARS_AND_CENTS = late(r"\s*dollars?\s+and\s+(\d{1,2})\s+cents?\b", re.IGNORECASE)
_VARIABLE = late(
    r"\s?(?:[b-fijknopqrtuvwxyzB-FIJMOPQRTUXYZ](?![^\W\d_]|\.)|(?:pi|sqrt|sin|cos|tan|log|ln|mod|choose|squared|cubed)\b)"
)
_JOINED_LETTER = late(r"(?![mgshlLAVWNJCFK°](?![^\W\d_]))[A-Za-z](?![^\W\d_])")
_LETTERS_BEHIND = late(r"( ?)([a-z]{2,5}|[A-Z]{2,5})(?![^\W\d_]|/| per\b)|_[A-Za-z]")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_JOINED = frozenset(
    ("st", "nd", "rd", "th", "am", "pm", "AM", "PM", "pc", "pcs", "ppl", "px", "rpm", "ppm", "kb", "mb", "gb", "bps")
)
"""Short words that are written directly behind a number and are no unit of the table."""


def plain_number(text: str) -> Quantity | None:
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
        or _AND_MORE.match(rest)
        or _TAKEN_BACK.match(rest)
        or _names_another(rest)
        or _VARIABLE.match(rest)
        or _JOINED_LETTER.match(rest)
        or goes_on_in_letters(rest)
    ):
        return None
    return quantity


def goes_on_in_letters(rest: str) -> bool:
    """Whether variables stand behind a number, as in `2ab`: two or three letters that are joined to it and no unit,
    or letters that follow each other in the alphabet (`6 xyz`). `42_abc` is a name, and no 42; `72Mb` has a unit."""
    behind = _LETTERS_BEHIND.match(rest)
    if behind is None:
        return False
    space, letters = behind[1], behind[2]
    if letters is None:
        return True
    if letters in _JOINED or read_unit(letters) is not None or leading_unit(rest) is not None:
        return False
    return letters in _ALPHABET or (not space and len(letters) < 4)


def _names_another(rest: str) -> bool:
    """Whether another number of the same kind is offered ("72 clips or 73"); "160 minutes or 2 hours" says it twice."""
    match = _UNIT_THEN_OTHER.match(rest)
    return match is not None and match[2].lower().rstrip("s") in ("", match[1].lower().rstrip("s"), "or", "and")
