"""Residues: `3 \\pmod 7`, `x ≡ 3 (mod 7)`, and the modulus apart from the value."""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late

_MODULUS = late(
    r"[\s,]{0,4}(?:\\(?:quad|qquad|[,;: ])\s{0,3})?(?:\\left)?\(?\s{0,3}"
    r"(?:\\(?:pmod|bmod|pod|mod)(?![A-Za-z])|\bmod(?:ulo)?(?![A-Za-z]))\s{0,3}\{?\s{0,3}"
    r"(?P<modulus>\d{1,40})\s{0,3}\}?\s{0,3}(?:\\right)?\)?[\s.$]{0,4}\Z"
)
_CONGRUENT = late(r"\s*[A-Za-z]\s*=\s*|.{0,200}(?:\\equiv(?![A-Za-z])|≡)\s*", re.DOTALL)
"""What stands in front of a residue: `x =`, or the rest of a chain such as `2^{10} \\equiv`."""
_UPRIGHT = late(r"\\(?:text|textrm|mathrm|operatorname|mbox|rm)\s{0,3}\{\s{0,3}(mod(?:ulo)?)\s{0,3}(\d{0,40})\s{0,3}\}")
_CLASS = late(
    r"""\s*(?:[a-z]\s{0,3}=\s{0,3})?(?:(?P<before>-?\s{0,2}\d{1,9})\s{0,3}\+\s{0,3})?
    (?P<modulus>\d{1,9})\s{0,3}(?:\*|\\cdot)?\s{0,3}[a-z]\s{0,3}(?P<behind>[+-]\s{0,3}\d{1,9})?
    (?:[\s,]{0,3}(?:\\text\s?\{\s{0,3})?(?:for|where|with|k|n|m|\().{0,80})?[\s.]*""",
    re.VERBOSE | re.DOTALL,
)


def split_modulus(text: str) -> tuple[str, int | None]:
    """A value without `(mod m)` and without `x ≡` in front of it, and the modulus; the text as it is without one."""
    if "mod" not in text and "pod" not in text:
        return text, None
    text = _UPRIGHT.sub(r"\1 \2", text)
    found = _MODULUS.search(text[-120:])
    if found is None:
        return text, None
    body = text[: len(text) - len(text[-120:]) + found.start()]
    named = _CONGRUENT.match(body)
    return body[named.end() :] if named else body, int(found["modulus"])


def residue_class(text: str) -> tuple[int, int] | None:
    """The residue and the modulus of `3k + 2`, which says the same as 2 (mod 3); None for any other text."""
    found = _CLASS.fullmatch(text) if len(text) <= 160 else None
    if found is None or (found["before"] is None) == (found["behind"] is None):
        return None
    return int((found["before"] or found["behind"]).replace(" ", "")), int(found["modulus"])


def congruent(a: int, b: int, modulus: int) -> bool:
    """Whether two whole numbers leave the same rest."""
    return modulus > 0 and (a - b) % modulus == 0
