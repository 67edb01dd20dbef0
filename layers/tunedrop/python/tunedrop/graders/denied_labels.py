"""Labels that an answer names in order to deny them: `spam, not hate`, `Not hate, but spam.`, `Neither spam nor hate.`

Each pattern is matched against a text of bounded length, and every repetition is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunedrop.graders.late_pattern import late

_TEXT = r"(?:(?:the|this|that)\s\w{1,14}(?:\s\w{1,14})?|this|that|it)"
_SURELY = r"(?:(?:clearly|definitely|certainly|really|actually)\s)?"
_ARTICLES = r"(?:(?:an?|the|any|as|about|classified\sas|labell?ed(?:\sas)?)\s){0,2}"
_BEHIND = late(
    rf"(?P<given>[^\n]{{1,200}}?)(?:\s?[,;(–—-]\s?(?:(?:and|but)\s)?|\s(?:(?:and|but)\s)?)"
    rf"(?:(?:{_TEXT}\sis\s)?{_SURELY}not|rather\sthan|instead\sof|as\sopposed\sto)\s{_ARTICLES}(?P<denied>[^\n.!]{{1,120}}?)[)\s.!]*",
    re.IGNORECASE,
)
_BEFORE = late(
    rf"(?:(?:{_TEXT}(?:\sis|['’]s)\s)?{_SURELY}not|{_TEXT}\s(?:isn['’]t|is\snot)"
    rf"|i\s(?:would|do)(?:\snot|n['’]t)\s(?:call|label|classify|consider|flag|mark)\s{_TEXT})\s{_ARTICLES}(?P<denied>[^\n.!;]{{1,120}}?)"
    rf"(?:,?\sbut\s(?:rather\s)?|[.;]\s{{1,3}}(?:rather,?\s)?|,\s(?:rather,?\s)?(?={_TEXT}(?:\sis|['’]s)\s))(?P<given>[^\n]{{1,200}})",
    re.IGNORECASE,
)
_ALONE = late(
    rf"(?:{_TEXT}\s(?:is|are|was|contains?|has|shows?|falls\sunder)\s|(?:it|that|this)['’]s\s)?{_SURELY}"
    rf"(?:neither|not|no)\s(?P<denied>[^\n.!;]{{1,200}}?)[\s.!]*",
    re.IGNORECASE,
)
_JOINS = late(r"\b(?:nor|or|and|not|neither|is|it|either)\b", re.IGNORECASE)


def given_and_denied(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text that may give labels and deny others: `spam, not hate` is `("spam", "hate")`, and
    `Not hate. Spam.` is `("Spam.", "hate")`. Nothing where it does not do both.
    """
    for pattern in (_BEHIND, _BEFORE):
        if (found := pattern.fullmatch(text)) is not None:
            yield found["given"], _JOINS.sub(",", found["denied"])


def denied_alone(text: str) -> str | None:
    """What a text denies that does nothing else, parted by commas: `neither spam nor hate` is `spam , hate`."""
    found = _ALONE.fullmatch(text)
    return None if found is None else _JOINS.sub(",", found["denied"])
