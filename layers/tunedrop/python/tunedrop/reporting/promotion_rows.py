"""What page and model card say of a promotion, and how their part about it is found again and replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunedrop.run.decisions import in_words

BEGIN, END = "<!-- promotion -->", "<!-- end of promotion -->"
"""The marks around the part. No text from outside can be one of them: page and card escape its `<`."""


def promotion_rows(promotion: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and value of each line about a promotion that the recipe wants (as `run.promotion.standing` tells it)."""
    yield "Parameter", promotion["parameter"]
    yield "Promoted", "yes" if promotion["done"] else f"no: {promotion['why_not']}"
    approval = promotion["approval"]
    if approval:
        yield "A person is asked", f"{'yes' if approval['asked'] else 'no'}: {approval['why']}"
    for decision in promotion["decisions"]:
        yield "Decision", in_words(decision)


def replaced(document: bytes, part: str) -> bytes | None:
    """The document with another part between the marks, to the byte; None where it has no such part."""
    begin, mark = document.find(BEGIN.encode()), END.encode()
    end = document.find(mark, begin)
    if begin < 0 or end < 0:
        return None
    return document[:begin] + part.encode("utf-8", "replace") + document[end + len(mark) :]
