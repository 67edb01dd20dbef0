"""What a reference expects: one answer, or several that are all right, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from tunedrop.graders.math.commitment import find_commitment
from tunedrop.graders.math.dress import sentence, spelling, undress, words
from tunedrop.graders.math.meaning import Meaning
from tunedrop.graders.math.quantity import Quantity, read_quantity
from tunedrop.graders.math.reading import readings
from tunedrop.graders.sample import JSON

_LIST_OF_DIGITS = re.compile(r"-?\d+,\d", re.ASCII)
"""Two items, not a decimal comma: a reference of `-2,1` names two roots."""
REFERENCE_KEYS = (
    "answer", "final_answer", "solution", "ground_truth", "expected_answer", "target", "value", "text", "gold", "label",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """One acceptable answer, in the forms in which it is compared."""

    text: str
    number: Fraction | None
    """Where it is a plain number: exactly this."""
    percent: bool
    decimals: int | None
    meanings: tuple[Meaning, ...] = field(repr=False)
    """Its readings as mathematics; none where it is words."""
    spelling: str = field(repr=False)
    words: str = field(repr=False)

    @property
    def textual(self) -> bool:
        return not self.meanings


def expected_answers(reference: JSON) -> list[Expected]:
    """The acceptable answers that a reference names; a list names several. Empty where it names none.

    A reference is a number, an answer as text or LaTeX, a whole solution that marks its answer (`#### 72`, `\\boxed`),
    or an object that holds one of these under a usual key (REFERENCE_KEYS).
    """
    if isinstance(reference, bool) or reference is None:
        return []
    if isinstance(reference, (int, float)):
        return [_expect(repr(reference))]
    if isinstance(reference, str):
        found = _expect_from_text(reference)
        return [] if found is None else [found]
    if isinstance(reference, Mapping):
        for key in REFERENCE_KEYS:
            if key in reference:
                return expected_answers(reference[key])
        return []
    return [expected for item in reference[:20] for expected in expected_answers(item)]


@lru_cache(maxsize=4096)
def _expect_from_text(text: str) -> Expected | None:
    stripped = text.strip()
    if "####" in stripped:
        answer = stripped.rsplit("####", 1)[1].strip()
    else:
        commitment = find_commitment(stripped, textual=True) if len(stripped) > 60 or "box" in stripped else None
        answer = stripped if commitment is None else commitment.region
        if commitment is not None and commitment.marker == "phrase":
            answer = sentence(answer)
    return _expect(answer) if answer else None


def _expect(text: str) -> Expected:
    bare = undress(text)
    quantity = None if "\\" in bare or "{" in bare else _whole_quantity(bare)
    meanings = readings(bare)
    return Expected(
        text=bare,
        number=None if quantity is None else quantity.value,
        percent=quantity is not None and quantity.percent,
        decimals=None if quantity is None else quantity.decimals,
        meanings=meanings if quantity is None else meanings[:1],  # 1,234 alone is no list
        spelling=spelling(bare),
        words=words(bare),
    )


def _whole_quantity(text: str) -> Quantity | None:
    if _LIST_OF_DIGITS.fullmatch(text):
        return None
    quantity = read_quantity(text)
    return quantity if quantity is not None and not quantity.rest.strip(" .") else None
