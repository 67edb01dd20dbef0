"""What stands behind a value and does not change it: that `k` is whole, an ordinal's end, the name of a constant."""

from __future__ import annotations

import re

from tunedrop.graders.late_pattern import late

_WHOLE = late(
    r"""[\s,;:(]{0,4}(?:\\(?:[,;:! ]|q?quad)\s{0,3}){0,3}\(?(?:\\(?:left)?\()?(?:\\text\s?\{\s?)?
    (?:(?:where|with|for|for\s(?:all|any|every|some)|\\forall)\s{0,3}\}?\s{0,3}\$?)?
    [a-zA-Z]\s{0,3}\$?\s{0,3}(?:
      (?:\\in|∈|\bin)\s{0,3}(?:\\(?:mathbb|mathbf|Bbb|bf)\s{0,3}\{?\s{0,3}Z\s{0,3}\}?|\u2124|Z\b)
      |(?:\\text\s?\{\s?)?(?:is|being)?\s{0,2}(?:an\s|any\s|some\s)(?:arbitrary\s)?integer)
    [\s$)}.]{0,4}\Z""",
    re.VERBOSE,
)
_ORDINAL = late(r"(?<=\d)\s?\^\s?\{?\s?(?:\\(?:text|mathrm|textrm|rm)\s?\{?\s?)?(?:st|nd|rd|th)\s?\}?\s?\}?\s{0,3}\Z")
_CONSTANT = late(r"\+\s{0,3}(?:[CK]|C_\{?[01]\}?|\\(?:text|mathrm)\s?\{\s?(?:C|const(?:ant|\.)?)\s?\})\s{0,3}\Z")
"""What every antiderivative may have added."""
_SMALL_CONSTANT = late(r"\+\s{0,3}[ck]\s{0,3}\Z")


def without_notes(text: str) -> str:
    """The value alone; an added constant of integration is named C. A text that is nothing but a note stays."""
    if "^" in text:
        text = _ORDINAL.sub("", text)
    if "Z" in text or "\u2124" in text or "integer" in text:
        text = _WHOLE.sub("", text) or text
    return _CONSTANT.sub("+C", text) if "+" in text[-24:] else text


def with_constant(text: str, reference: str) -> str:
    """An answer whose added constant is `c` or `k`, where the reference has its own called C."""
    return _SMALL_CONSTANT.sub("+C", text) if reference.endswith("+C") else text
