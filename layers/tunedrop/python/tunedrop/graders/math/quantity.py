"""Plain numbers as people write them: signs, currency, commas, percent, fractions, units, number words.

Everything that GSM8K's answers need, with one regular expression and exact fractions, before any formula is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.vocabulary import FRACTION_WORDS, NUMBER_WORDS, SCALES, VULGAR

MAX_DIGITS = 400
"""Longest number that is computed with; a longer one equals only its own spelling."""
MAX_EXPONENT = 400


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that stands at some place of a text."""

    value: Fraction
    percent: bool
    decimals: int | None
    """Digits after the point; None where it was written as a fraction or in words."""
    scaled: Fraction | None
    """The value times the word that follows (thousand, million, dozen): both readings can be meant."""
    grouped: Fraction | None
    """The value where a point parts thousands, as in `1.500 Euro`; None where it cannot."""
    rest: str
    """The text after the number, its percent sign and its multiplier."""

    def equals(self, value: Fraction) -> bool:
        return value in (self.value, self.scaled)


_CURRENCY = r"(?:US|CA|AU|A|C|R|HK|NZ|S)?\$|[€£¥₹₩₽¢₱₦฿]|USD|EUR|GBP|INR|Rs\.?|Php|RM|R\$"
_DIGITS = r"(?!0,)\d{1,3}(?:,\d{3})+(?![\d])|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d/])|\d+"
_NUMBER = late(
    rf"""(?P<sign>[-+\u2212\u2013\u2014]|minus\b|negative\b)?\s*
    (?P<currency>{_CURRENCY})?\s*(?P<sign2>[-+\u2212])?\s*
    (?:(?P<whole>{_DIGITS})(?P<fraction>\.\d+|,\d{{1,2}}(?![\d,])|(?<=(?<!\d)0),\d+)?|(?P<bare>\.\d+))
    (?P<exponent>[eE][-+]?\d+|\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*[({{]?\s*[-+\u2212]?\d+\s*[)}}]?)?
    (?:(?P<space>[ \u00a0])?(?P<vulgar>[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])
      |[ \u00a0]+(?P<above>\d+)\s?[/⁄]\s?(?P<below>\d+)(?![\d.])
      |\s?[/⁄]\s?(?P<denominator>\d+)(?![\d.,]*\d))?
    (?P<percent>\s*(?:%|percent(?:age)?\b|pct\b|per\s+cent\b))?
    (?:\s*(?P<multiplier>thousand|million|billion|trillion|hundred|dozens?|[kK]
      |(?(currency)(?:[mM][mMnN]?|[bB][nN]?)|(?!)))(?![A-Za-z\u00c0-\u024f]))?""",
    re.VERBOSE | re.ASCII,
)
_VULGAR_ALONE = late(r"([-\u2212])?\s*([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])")
_POINT_BETWEEN_THOUSANDS = late(r"[-\u2212]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_MINUS = frozenset("-\u2212\u2013\u2014")


def read_quantity(text: str, start: int = 0) -> Quantity | None:
    """The number that the text has at `start`, or None: also where it is too long, or a fraction of nothing."""
    match = _NUMBER.match(text, start)
    if match is None:
        return _vulgar_alone(text, start) or _in_words(text, start)
    whole = re.sub(r"[,\s]", "", match["whole"] or "0")
    fraction = (match["fraction"] or match["bare"] or "").lstrip(".,")
    if len(whole) + len(fraction) > MAX_DIGITS:
        return None
    value = Fraction(int(whole + fraction), 10 ** len(fraction))
    decimals: int | None = len(fraction)
    if match["exponent"]:
        exponent = int(
            re.sub(r"\u2212", "-", re.sub(r"^(?:[eE]|\s*[x×*·]\s*10\s*(?:\^|\*\*))|[({)}\s]", "", match["exponent"]))
        )
        if abs(exponent) > MAX_EXPONENT:
            return None
        value *= Fraction(10) ** exponent
        decimals = None
    if match["vulgar"]:
        value, decimals = value + Fraction(VULGAR[match["vulgar"]]), None
    elif match["below"] or match["denominator"]:
        below = match["below"] or match["denominator"]
        if (
            (match["below"] and fraction)
            or len(below) > MAX_DIGITS
            or int(below) == 0
            or len(match["above"] or "") > MAX_DIGITS
        ):
            return None
        value = value + Fraction(int(match["above"]), int(below)) if match["below"] else value / int(below)
        decimals = None
    if bool(match["sign"] and (match["sign"] in _MINUS or match["sign"][0] in "mn")) != (
        match["sign2"] in ("-", "\u2212")
    ):
        value = -value
    end = match.end()
    if decimals == 0 and (part := _AND_A_PART.match(text, end)) is not None:  # 2 and a half
        further = _fraction_words(text, part.end())
        if further is not None:
            value, decimals, end = value + further.value, None, len(text) - len(further.rest)
    multiplier = SCALES.get((match["multiplier"] or "").lower())
    scaled = None if multiplier is None else value * multiplier
    if match["multiplier"] and len(match["multiplier"]) <= 2 and scaled is not None:
        value, scaled = scaled, None
    grouped = value * 1000 if _POINT_BETWEEN_THOUSANDS.fullmatch(match[0]) else None
    return Quantity(value, match["percent"] is not None, decimals, scaled, grouped, text[end:])


def _vulgar_alone(text: str, start: int) -> Quantity | None:
    match = _VULGAR_ALONE.match(text, start)
    if match is None:
        return None
    value = Fraction(VULGAR[match[2]])
    return Quantity(-value if match[1] else value, False, None, None, None, text[match.end() :])


_LESS_THAN_NOTHING = late(r"(?:minus|negative)\s+", re.IGNORECASE)


def _in_words(text: str, start: int) -> Quantity | None:
    """`seventy-two`, `one half`, `minus three`, `half a dozen`."""
    negative = _LESS_THAN_NOTHING.match(text, start)
    start = start if negative is None else negative.end()
    if (dozen := _A_DOZEN.match(text, start)) is not None:
        return Quantity(Fraction(6 if dozen[1] else 12), False, None, None, None, text[dozen.end() :])
    found = _fraction_words(text, start) or _number_words(text, start)
    return found if found is None or negative is None else replace(found, value=-found.value)


_WORD = late(r"[\s-]*([A-Za-z]+)", re.ASCII)


def _number_words(text: str, start: int) -> Quantity | None:
    """`seventy-two`, `one hundred and five`, `two and a half`: at most a dozen words."""
    total, current, seen, end = 0, 0, False, start
    for _ in range(12):
        match = _WORD.match(text, end)
        word = "" if match is None else match[1].lower()
        if word in NUMBER_WORDS:
            current += NUMBER_WORDS[word]
        elif seen and word in _SCALE_WORDS:
            current = max(current, 1) * SCALES[word]
            if SCALES[word] > 100:
                total, current = total + current, 0
        elif match is None or not (seen and word == "and" and _goes_on(text, match.end(), current)):
            break
        seen, end = True, match.end() if match else end
    if not seen:
        return None
    value = Fraction(total + current)
    part = _AND_A_PART.match(text, end)
    if part is not None and (further := _fraction_words(text, part.end())) is not None:
        value, end = value + further.value, len(text) - len(further.rest)
    dozens = _DOZENS.match(text, end)
    scaled, end = (None, end) if dozens is None else (value * 12, dozens.end())
    return Quantity(value, False, None, scaled, None, text[end:])


_A_DOZEN = late(r"(half\s)?an?\sdozen\b", re.IGNORECASE)
_DOZENS = late(r"\s{1,3}dozens?\b", re.IGNORECASE)
_PARTS_NAMED = late(
    rf"(?:(an?|{'|'.join(list(NUMBER_WORDS)[1:20])})[\s-]+)?({'|'.join(FRACTION_WORDS)}|halve)(s?)\b", re.IGNORECASE
)
_AND_A_PART = late(r"\s+and\s+(?=an?\b|one\b|two\b|three\b|five\b|seven\b)", re.IGNORECASE)


def _fraction_words(text: str, start: int) -> Quantity | None:
    """`one half`, `two-thirds`, `a quarter`, `half`; None for anything else: `third` and `twenty-fifth` are places."""
    match = _PARTS_NAMED.match(text, start)
    if match is None:
        return None
    counted, part, plural = (match[1] or "").lower(), match[2].lower(), bool(match[3])
    above = NUMBER_WORDS.get(counted, 1)
    if plural != (above > 1) or (not counted and part != "half"):
        return None
    return Quantity(Fraction(above, FRACTION_WORDS.get(part, 2)), False, None, None, None, text[match.end() :])


_SCALE_WORDS = ("hundred", "thousand", "million", "billion")


def _goes_on(text: str, start: int, current: int) -> bool:
    """Whether an "and" stands within a number ("one hundred and five"), not between two."""
    match = _WORD.match(text, start)
    return current % 100 == 0 and match is not None and match[1].lower() in NUMBER_WORDS
