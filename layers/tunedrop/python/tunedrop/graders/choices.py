"""Multiple choice: which one letter an answer commits itself to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tunedrop.graders.math.commitment import find_commitment
from tunedrop.graders.sample import JSON

MAX_CHOICE = 400
"""Longest text of a choice."""
_LETTER = re.compile(r"[\s*_(\[\"'`$]{0,8}([A-Z])(?![A-Za-z'’])")
_LETTER_LINE = re.compile(r"(?:option|choice)?\s{0,3}[*_(\[$]{0,4}([A-Z])[)\].:*_$]{0,6}", re.IGNORECASE)
_LABELLED_LINE = re.compile(r"\W{0,8}[A-Z][).:]")
_NAMED_LETTER = re.compile(r"\b(?:option|choice)\s{1,3}[*_(\[]{0,4}([A-Z])\b", re.IGNORECASE)
_ANOTHER_LETTER = re.compile(r"[\s)\].:*_$]{0,6}(?:,|/|&|\bor\b|\band\b)\s{0,3}[*_(\[]{0,4}[A-Z](?![A-Za-z'’])")
_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s{0,3}\{([^{}]{0,200})\}")


def letter_of(reference: str, row: Mapping[str, JSON], letters: str) -> str | None:
    """The letter that a reference means: `C`, `(C)`, `C. Paris`, or the place of its text among the row's `choices`."""
    return _letter_of_text(reference, row, letters) or _leading_letter(reference.strip(), letters)


def chosen_letter(answer: str, row: Mapping[str, JSON], letters: str) -> str | None:
    """The one letter that an answer commits itself to, None where it names several or none.

    In turn: after a marker ("the answer is", \\boxed, ####), alone on the last line, after the last "option" or
    "choice", as the label of the last line, or by the text of one of the row's `choices`.
    """
    region = _region(answer)
    if region is None:
        return _letter_of_text(answer, row, letters)
    named = _NAMED_LETTER.match(region)
    if named is not None:
        region = named[1].upper() + region[named.end() :]
    letter = _leading_letter(region, letters)
    if letter is None:
        return _letter_of_text(region, row, letters)
    match = _LETTER.match(region)
    several = match is not None and _ANOTHER_LETTER.match(region, match.end()) is not None
    return None if several else letter


def _region(answer: str) -> str | None:
    commitment = find_commitment(answer, textual=True)
    if commitment is not None:
        region = _TEXT_COMMAND.sub(r"\1", commitment.region).strip(" \t*_$.\\")
        if region:
            return region
    last_line = answer.rsplit("\n", 1)[-1].strip()
    alone = _LETTER_LINE.fullmatch(last_line)
    if alone is not None:
        return alone[1].upper()
    named = list(_NAMED_LETTER.finditer(answer))
    if named:
        return answer[named[-1].start(1) :]
    return last_line if _LABELLED_LINE.match(last_line) else None


def _leading_letter(text: str, letters: str) -> str | None:
    match = _LETTER.match(text)
    return match[1] if match is not None and match[1] in letters else None


def _letter_of_text(text: str, row: Mapping[str, JSON], letters: str) -> str | None:
    choices = row.get("choices")
    if not isinstance(choices, Sequence) or isinstance(choices, str) or len(text) > MAX_CHOICE:
        return None
    wanted = _normal(text)
    for letter, choice in zip(letters, choices, strict=False):
        if isinstance(choice, str) and wanted and _normal(choice) == wanted:
            return letter
    return None


def _normal(text: str) -> str:
    return " ".join(text.casefold().strip(" .*_`\"'").split())
