"""Residues: `3 \\pmod 7`, `x ≡ 3 (mod 7)`, and the modulus apart from the value."""

from __future__ import annotations

import re

_MODULUS = re.compile(
    r"[\s,]{0,4}(?:\\(?:quad|qquad|[,;: ])\s{0,3})?(?:\\left)?\(?\s{0,3}"
    r"(?:\\(?:pmod|bmod|pod|mod)\b|\bmod(?:ulo)?\b)\s{0,3}\{?\s{0,3}"
    r"(?P<modulus>\d{1,40})\s{0,3}\}?\s{0,3}(?:\\right)?\)?[\s.$]{0,4}\Z"
)
_CONGRUENT = re.compile(r"\s*[A-Za-z]\s*(?:\\equiv|≡|=)\s*")


def split_modulus(text: str) -> tuple[str, int | None]:
    """A value without `(mod m)` and without `x ≡` in front of it, and the modulus; the text as it is without one."""
    if "mod" not in text and "pod" not in text:
        return text, None
    found = _MODULUS.search(text[-120:])
    if found is None:
        return text, None
    body = text[: len(text) - len(text[-120:]) + found.start()]
    named = _CONGRUENT.match(body)
    return body[named.end() :] if named else body, int(found["modulus"])


def congruent(a: int, b: int, modulus: int) -> bool:
    """Whether two whole numbers leave the same rest."""
    return modulus > 0 and (a - b) % modulus == 0
