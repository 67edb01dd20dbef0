"""What a reference expects: one answer, or several that are all right, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property, lru_cache

from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.clock_times import ClockTime, clock_time
from tunedrop.graders.math.commitment import find_commitment
from tunedrop.graders.math.contest import split_option
from tunedrop.graders.math.dress import (
    as_meant,
    half_width,
    sentence,
    spelling,
    split_approximation,
    undress,
    without_name,
    words,
)
from tunedrop.graders.math.meaning import Formula, Meaning
from tunedrop.graders.math.quantity import MAX_DIGITS, Quantity, read_quantity
from tunedrop.graders.math.reading import readings
from tunedrop.graders.math.residues import split_modulus
from tunedrop.graders.math.side_notes import without_notes
from tunedrop.graders.math.units import Unit, combined, split_value
from tunedrop.graders.sample import JSON

_LIST_OF_DIGITS = late(r"-?\d+,\d", re.ASCII)
"""Two items, not a decimal comma: a reference of `-2,1` names two roots."""
_ONE_LETTER_UNIT = late(r"-?\d[\d.,]* [AFC]", re.ASCII)
"""`10 A`: with a space, and as a whole reference, ten amperes rather than a product."""
_NAMED_MEASURE = late(
    r"[A-Za-z](?:_\{?\w{1,8}\}?)?\s?=\s?(-?\d[\d.,]{0,20}\s?(?:\\[A-Za-z,; ]|[A-Za-z°µ$€£])[^=]{0,40})"
)
"""`T = 300 K`: a value with its unit, and what it is called."""
_POWER_OF_TEN = late(
    r"\s*([-+−]?\d{1,30}(?:\.\d{1,30})?)\s{0,3}(?:\\times|\\cdot|[×·*])\s{0,3}10\s?\^\s?\{?\s?([-+−]?\d{1,3})\s?\}?\s*",
    re.ASCII,
)
_PLAIN_FRACTION = late(
    r"\s*([-−]?)\s*\\[dtc]?frac\s{0,3}\{\s*([-−]?)\s*(\d{1,30})\s*\}\s*\{\s*(\d{1,30})\s*\}\s*", re.ASCII
)
_EXPONENT = late(r"\d[eE][-+]?\d", re.ASCII)
REFERENCE_KEYS = (
    "answer", "final_answer", "solution", "ground_truth", "expected_answer", "target", "value", "text", "gold", "label",
)  # fmt: skip


class Expected:
    """One acceptable answer, in the forms in which it is compared; those that a plain number does not need, late."""

    def __init__(self, text: str) -> None:
        self.number: Fraction | None
        """Where it is a plain number: exactly this."""
        self.scaled: Fraction | None = None
        """The number times the word behind it, which may be meant, too: `3 dozen` is 36."""
        self.percent = False
        self.letter: str | None = None
        """The letter of a contest's option, where it has one: `(B) 12`, or `B` alone."""
        self.modulus: int | None = None
        self.unit: Unit | None = None
        self.clock: ClockTime | None = None
        if text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS:
            self.text = self.bare = text
            self.number = Fraction(int(text))
            return
        self.text = undress(as_meant(half_width(text)))
        self.letter, option = split_option(self.text)
        bare, self.modulus = split_modulus(without_notes(without_name(split_approximation(option or self.text)[0])))
        if (measured := _NAMED_MEASURE.fullmatch(bare)) is not None and split_value(measured[1])[1] is not None:
            bare = measured[1]
        self.clock = clock_time(bare)
        self.bare, self.unit = split_value(combined(bare), joined=_ONE_LETTER_UNIT.fullmatch(bare) is not None)
        plain = _as_plain(self.bare)
        quantity = None if "\\" in plain or "{" in plain else _whole_quantity(plain)
        self.number = None if quantity is None else quantity.value
        self.scaled = None if quantity is None else quantity.scaled
        self.percent = quantity is not None and quantity.percent

    @cached_property
    def meanings(self) -> tuple[Meaning, ...]:
        """Its readings as mathematics; none where it is words."""
        if self.number is not None and _EXPONENT.search(self.bare):  # 6.02e23 is no product with e
            return (Formula(("number", self.number)),)
        found = readings(self.bare)
        if self.number is None:
            return found
        scaled = () if self.scaled is None else (Formula(("number", self.scaled)),)
        return (*found[:1], *scaled)  # 1,234 alone is no list

    @property
    def option_alone(self) -> bool:
        """Whether it is a letter of a contest's options, without the option's text."""
        return self.letter is not None and len(self.text) <= 30 and not split_option(self.text)[1]

    @cached_property
    def spelling(self) -> str:
        return spelling(self.text)

    @cached_property
    def words(self) -> str:
        return words(self.text)

    @property
    def textual(self) -> bool:
        """Whether it is words: no mathematics can be read from it."""
        return self.number is None and not self.meanings


def expected_answers(reference: JSON) -> list[Expected]:
    """The acceptable answers that a reference names; a list names several. Empty where it names none.

    A reference is a number, an answer as text or LaTeX, a whole solution that marks its answer (`#### 72`, `\\boxed`),
    or an object that holds one of these under a usual key (REFERENCE_KEYS).
    """
    if isinstance(reference, bool) or reference is None:
        return []
    if isinstance(reference, (int, float)):
        return [Expected(repr(reference))]
    if isinstance(reference, str):
        return _expect_from_text(reference)
    if isinstance(reference, Mapping):
        for key in REFERENCE_KEYS:
            if key in reference:
                return expected_answers(reference[key])
        return []
    return [expected for item in reference[:20] for expected in expected_answers(item)]


def names_answer(reference: JSON) -> bool:
    """Whether `expected_answers` has an answer for this reference; told without reading what the answer means."""
    return bool(_answer_in(reference)) if isinstance(reference, str) else bool(expected_answers(reference))


def _answer_in(text: str) -> str:
    """The part of a reference that is its answer; "" where it has none."""
    stripped = text.strip()
    if "####" in stripped:
        return stripped.rsplit("####", 1)[1].strip()
    commitment = find_commitment(stripped, textual=True) if len(stripped) > 60 or "box" in stripped else None
    if commitment is None:
        return stripped
    return sentence(commitment.region) if commitment.marker == "phrase" else commitment.region


@lru_cache(maxsize=4096)
def _expect_from_text(text: str) -> list[Expected]:
    answer = _answer_in(text)
    if not answer:
        return []
    expected = Expected(answer)
    _, about = split_approximation(expected.text)  # a reference of 5/3 ≈ 1.67 accepts both
    return [expected, Expected(about)] if about else [expected]


def _as_plain(text: str) -> str:
    """`6.02 \\times 10^{23}` and `-\\frac{1}{2}` as plain text; any other text as it is."""
    if (fraction := _PLAIN_FRACTION.fullmatch(text)) is not None:
        return f"{'-' if bool(fraction[1]) != bool(fraction[2]) else ''}{fraction[3]}/{fraction[4]}"
    found = _POWER_OF_TEN.fullmatch(text)
    return text if found is None else f"{found[1]}e{found[2].replace('−', '-')}"


def _whole_quantity(text: str) -> Quantity | None:
    if _LIST_OF_DIGITS.fullmatch(text):
        return None
    quantity = read_quantity(text)
    return quantity if quantity is not None and not quantity.rest.strip(" .") else None
