"""Multiple choice: the one letter that an answer commits itself to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunedrop.graders.choice_phrases import (
    AFTER,
    BEFORE,
    BETWEEN_LETTERS,
    COMMITS_AFTER,
    COMMITS_BEFORE,
    CORRECTS_BEFORE,
    ENDS_AFTER,
    NAMED,
    REJECTS_AFTER,
    REJECTS_ALL_AFTER,
    REJECTS_BEFORE,
)
from tunedrop.graders.json_answer import NotOneDocument, read_answer
from tunedrop.graders.late_pattern import late
from tunedrop.graders.math.commitment import Commitment, find_commitment
from tunedrop.graders.sample import JSON

MAX_CHOICE = 400
"""Longest text of a choice."""
MAX_DOCUMENT = 20_000
"""Characters of an answer that is read as JSON."""
_MEMBERS = (
    "finalanswer", "answer", "correctanswer", "answerchoice", "answerletter", "choice", "finalchoice", "chosenoption",
    "correctoption", "correctchoice", "option", "letter", "selectedoption", "selected", "selection", "selectedanswer",
    "label", "prediction", "result", "output", "response",
)  # fmt: skip
"""Names of the member that holds a JSON answer's choice."""
_MOST_MENTIONS = 32
"""Letters of an answer that are looked at: the last ones. Whoever names more has not chosen."""
_OPENING = "*_([{\"'“‘「『【<$`"
_LETTER = late(
    r"(?<![A-Za-z0-9\\])(?<![A-Za-z0-9]['’])([A-Za-z])(?![A-Za-z0-9])(?!\+\+|#)(?!['’](?:s|t|d|m|re|ll|ve)\b)"
)
_STARTING_LETTER = late(r"[\s*_(\[\"'`$]{0,8}([A-Z])(?![A-Za-z'’])")
_ALONE = late(r"[\s*_(\[{\"'“‘「『【<$`]*([A-Za-z])[\s*_)\]}\"'”’」』】>$`.:!。]*")
_QUESTIONED = late(r"[\s*_)\]}\"'”’`$.]{0,6}[?](?!\s*(?:yes|correct|right|true)\b)", re.IGNORECASE)
_LABEL = late(r"(?m)^[\s*_>-]{0,6}\(?([A-Z])[).:][*_ ]{0,3}\s")
_AFTER_LETTER_A = late(
    r"[*_)\]}\"'”’$`]|\s*(?:[.,:;!?)\]。，：/&|+✅✓✔☑❌✗✘✖☒-]|$|\n|–|—)|\s(?:because|since|as|for|is|was|and|or|but|given|due|would|must|seems|fits|über|weil|porque|car)\b"
)
_LETTER_NEXT = late(r"\s{1,3}[B-Z](?![A-Za-z'’])")
_CROSSED_BEFORE = late(r"[❌✗✘✖☒]\ufe0f?[ \t*_(]{0,4}\Z")
_CROSSED_AFTER = late(r"[ \t*_).]{0,4}[❌✗✘✖☒]")
_TICKED_BEFORE = late(r"[✅✓✔☑]\ufe0f?[ \t*_(]{0,4}\Z")
_TICKED_AFTER = late(r"[ \t*_).]{0,4}[✅✓✔☑]")
_BELOW = late(r"[.!)*_]{0,4}[ \t]*\n\s*\n[\s*_>(-]{0,6}")
_OPTION_BEFORE = late(
    r"(?:^|[.!?:;,\n]\s{0,3}|\b(?:and|while|whereas|but|because|since|as)\s)[\s*_>(•-]{0,6}(?:option|choice|answer|statement)\s[*_(\"']{0,3}\Z",
    re.IGNORECASE,
)
_IS_AFTER = late(
    r"[)*_\"']{0,4}(?:[:.]|\s[(–—-]|\s(?:is|was|has|does|can|could|would|might|may|seems|looks|describes|refers|represents|corresponds|gives|means|says|states"
    r"|suggests|involves|mentions|talks|relates|deals)\b)"
)
_STOPS = late(r"[)*_]{0,4}(?:[.!][)*_]{0,4}\s+|[ \t]*\n\s*)[*_(]{0,3}")
_SAYS = late(
    r"[)*_]{0,3}(?:(?:,\s(?:and\s|or\s)?|\s(?:and|or)\s)(?:option\s)?\(?[A-Z]\)?){0,4}\s(?:both\s|all\s)?(?:is|are|was|were|has|have|does|do"
    r"|can|cannot|could|would|might|may|seems?|looks?|describes?|refers?|fails?|contradicts?|isn|aren|doesn|don|wasn|weren)\b"
)
"""A sentence of its own about a letter: `Answer: A. B is in France.`"""
_LABEL_AHEAD = late(r"\)?[).:][*_]{0,2}\s")
_PREFER = late(r"\bprefer\s(?:(?:option|choice|answer)\s)?[*_(\"']{0,3}\Z", re.IGNORECASE)
_LESS_PREFERRED = late(
    r"\bprefer\s(?:(?:option|choice|answer)\s)?[*_(\"']{0,3}[A-Z][*_)\"']{0,3}\s(?:to|over)\s(?:(?:option|choice)\s)?[*_(\"']{0,3}\Z",
    re.IGNORECASE,
)
_AND = late(r"\b(?:and|or|nor|und|oder|et|ou|ni|y|o|e|né|nem|и|или|ни)\b|和|或|、", re.IGNORECASE)
_LINE_OF_CHOICE = late(
    r"[\s*_>-]{0,6}(?:(?:option|choice|answer)\s)?\(?([A-Z])[*_]{0,2}[).:*_ -](?P<said>[^\n]{0,300})", re.IGNORECASE
)
_LINE_IS_RIGHT = late(
    r"[✅✓✔☑]|(?:[-–—:(,.]|\*\*|\s=)\s{0,2}[*_]{0,2}(?:this\sis\s|that\sis\s|is\s)?(?:correct|right|true|yes)\b(?!\?)",
    re.IGNORECASE,
)
_LINE_IS_WRONG = late(
    r"[❌✗✘✖☒]|(?:[-–—:(,.]|\*\*|\s=)\s{0,2}[*_]{0,2}(?:this\sis\s|that\sis\s|is\s)?(?:not\s(?:correct|right|true)|incorrect|wrong|false|no)\b",
    re.IGNORECASE,
)
_LETTER_AFTER_LABEL = late(r"\s*A\s?[:)]\s*\(?([A-Z])\)?[\s.]*")
"""`A: C`, where the A is the answer's own mark."""
_TEXT_COMMAND = late(r"\\(?:text|textbf|mathrm|mathbf|textit|bf)\s{0,3}\{([^{}]{0,200})\}")


@dataclass(frozen=True, slots=True)
class _Mention:
    """A letter in the text, and what the words around it say of it."""

    letter: str
    start: int
    end: int
    committed: bool
    affirmed: bool
    """The words after it say that it is right."""
    described: bool
    """A sentence begins with it and says what it is (`Option A is the Balmer line`): this alone commits to nothing."""
    rejected: bool
    questioned: bool


def letter_of(reference: str, row: Mapping[str, JSON], letters: str) -> str | None:
    """The letter that a reference means: `C`, `(C)`, `C. Paris`, or the place of its text among the row's `choices`."""
    found = _letter_of_text(reference, row, letters) or _leading_letter(reference.strip(), letters)
    return found or chosen_letter(reference, row, letters)


def chosen_letter(answer: str, row: Mapping[str, JSON], letters: str) -> str | None:
    """The one letter that an answer commits itself to, None where it names several or none.

    In turn: after a mark (\\boxed, ####, an answer tag); the last letter that words commit to ("I choose B", "B is
    right", 答案是B); a letter alone on the last line; the only letter that is named and not rejected; the text of one
    of the row's `choices`. Letters named in one breath ("B or D") are no choice.
    """
    text = unicodedata.normalize("NFKC", _member_of(answer)).strip()
    commitment = find_commitment(text, textual=True)
    if commitment is not None and commitment.marker in ("hashes", "boxed", "tag"):
        region = _TEXT_COMMAND.sub(r"\1", commitment.region).strip(" \t*_$.\\")
        return _letter_of_region(region, row, letters)
    return _judged_line_by_line(text, letters) or _letter_in_words(text, commitment, row, letters)


def _member_of(answer: str) -> str:
    """The member of a JSON answer that holds its choice, beside others that explain it; any other answer as it is."""
    if len(answer) > MAX_DOCUMENT or '"' not in answer or "{" not in answer:
        return answer
    try:
        document = read_answer(answer, "text")
    except NotOneDocument:
        return answer
    if not isinstance(document, dict):
        return answer
    named = {"".join(filter(str.isalpha, name.casefold())): value for name, value in document.items()}
    held = next((named[name] for name in _MEMBERS if name in named), None)
    return held if isinstance(held, str) else answer


def _letter_in_words(text: str, commitment: Commitment | None, row: Mapping[str, JSON], letters: str) -> str | None:
    """The letter that the words of an answer without a mark choose."""
    groups = _groups(text, letters)
    asserted = [group for group in groups if not group[-1].questioned]
    standing = [kept for group in asserted if (kept := [mention for mention in group if not mention.rejected])]
    committed = [group for group in standing if any(mention.committed for mention in group)]
    chosen = [group for group in committed if not all(mention.described for mention in group if mention.committed)]
    if chosen:
        return _only_letter(chosen[-1])
    if committed and len({mention.letter for group in committed for mention in group}) == 1:
        return committed[-1][0].letter
    if alone := _alone_at_the_end(text, letters):
        return alone.pop() if len(alone) == 1 else None
    named = _letter_of_text(text, row, letters)
    if named is None and commitment is not None:
        named = _letter_of_text(commitment.region, row, letters)
    if named is not None:
        return named
    named_letters = {mention.letter for group in standing for mention in group}
    if len(named_letters) == 1:
        return named_letters.pop()
    return _leading_label(text, letters) if named_letters and len(standing[0]) == 1 else None


def _alone_at_the_end(text: str, letters: str) -> set[str]:
    """The letter that stands alone in the last line, and another that stands alone in the line above: no choice."""
    lines = [line for line in text.rsplit("\n", 4) if line.strip()]
    found = [_ALONE.fullmatch(line) for line in lines[-2:]]
    alone = [match[1].upper() for match in found if match is not None]
    return {*alone} if found and found[-1] is not None and alone[-1] in letters else set()


def _judged_line_by_line(text: str, letters: str) -> str | None:
    """The one choice that is called right where each stands in a line of its own and is judged: `C. Berlin ✅`."""
    labelled = _LETTER_AFTER_LABEL.fullmatch(text)
    if labelled is not None:
        return labelled[1] if labelled[1] in letters else None
    lines = [found for line in text.split("\n", 40)[:40] if (found := _LINE_OF_CHOICE.fullmatch(line)) is not None]
    wrong = {line[1].upper() for line in lines if _LINE_IS_WRONG.search(line["said"])}
    right = {line[1].upper() for line in lines if _LINE_IS_RIGHT.search(line["said"])} - wrong
    if len(right) != 1 or len(wrong) < 2 or len(right | wrong) != len({line[1].upper() for line in lines}):
        return None
    letter = right.pop()
    # What stands below the list may say otherwise.
    behind = text[text.rfind(lines[-1][0]) + len(lines[-1][0]) :]
    return letter if letter in letters and not behind.strip() else None


def _letter_of_region(region: str, row: Mapping[str, JSON], letters: str) -> str | None:
    """The letter of a marked stretch: it starts with it, or it is the text of a choice."""
    by_text = _letter_of_text(region, row, letters)
    if by_text is not None:
        return by_text
    alone = _ALONE.fullmatch(region)
    if alone is not None:
        return alone[1].upper() if alone[1].upper() in letters else None
    groups = _groups(region, letters)
    return _only_letter(groups[0]) if groups else None


def _groups(text: str, letters: str) -> list[list[_Mention]]:
    """The letters of a text, those that are named in one breath together."""
    groups: list[list[_Mention]] = []
    for mention in _mentions(text, letters):
        previous = groups[-1][-1] if groups else None
        between = text[previous.end : mention.start] if previous is not None else ""
        # "Of A, B, C and D, B is right": the last one is named for itself.
        for_itself = mention.committed and mention.affirmed and between.strip() == ","
        # "B\n\nA: London is wrong": what stands below explains.
        for_itself = for_itself or (_BELOW.fullmatch(between) and _LABEL_AHEAD.match(text, mention.end)) is not None
        for_itself = for_itself or (_STOPS.fullmatch(between) and _SAYS.match(text, mention.end)) is not None
        for_itself = for_itself or (mention.described and "\n" in between)
        for_itself = for_itself or (previous is not None and _preferred(text, previous, between))
        if len(between) in range(1, AFTER) and BETWEEN_LETTERS.match(between) and not for_itself:
            together = groups[-1][0].rejected and not mention.committed and _AND.search(between) is not None
            groups[-1].append(replace(mention, rejected=mention.rejected or together))  # "eliminating A, B and D"
        else:
            groups.append([mention])
    return [_all_rejected(group, text) for group in groups]


def _mentions(text: str, letters: str) -> list[_Mention]:
    mentions: list[_Mention] = []
    for match in list(_LETTER.finditer(text))[-_MOST_MENTIONS:]:
        letter = match[1].upper()
        if letter not in letters:
            continue
        before, after = text[max(0, match.start() - BEFORE) : match.start()], text[match.end() : match.end() + AFTER]
        affirmed = COMMITS_AFTER.match(after) is not None
        committed = affirmed or COMMITS_BEFORE.search(before) is not None
        described = not affirmed and (_OPTION_BEFORE.search(before) and _IS_AFTER.match(after)) is not None
        committed = committed or (ENDS_AFTER.match(after) and CORRECTS_BEFORE.search(before)) is not None
        named = committed or NAMED.search(before) is not None
        if not _is_a_letter(match[1], before, after, named=named, alone=match.end() - match.start() == len(text)):
            continue
        questioned = _QUESTIONED.match(after) is not None
        rejected = questioned or bool(REJECTS_AFTER.match(after) or REJECTS_BEFORE.search(before))
        rejected = rejected or _is_crossed_out(before, after) or _LESS_PREFERRED.search(before) is not None
        mentions.append(
            _Mention(
                letter,
                match.start(),
                match.end(),
                committed and not rejected,
                affirmed,
                described,
                rejected,
                questioned,
            )
        )
    return mentions


def _all_rejected(group: list[_Mention], text: str) -> list[_Mention]:
    """The group, all of it rejected if what follows rejects all: `A, C and D are wrong`."""
    last = group[-1]
    if len(group) == 1 or not last.rejected or not REJECTS_ALL_AFTER.match(text, last.end):
        return group
    return [replace(mention, rejected=True) for mention in group]


def _preferred(text: str, previous: _Mention, between: str) -> bool:
    """Whether the letter before was preferred: `I prefer B to A`."""
    before = text[max(0, previous.start - BEFORE) : previous.start]
    return between.strip() in ("to", "over") and _PREFER.search(before) is not None


def _is_crossed_out(before: str, after: str) -> bool:
    """Whether a cross on its line belongs to the letter: `A ❌ B ✅`, `❌ A ✅ B`."""
    if _CROSSED_AFTER.match(after):
        return _TICKED_BEFORE.search(before) is None
    return _CROSSED_BEFORE.search(before) is not None and _TICKED_AFTER.match(after) is None


def _is_a_letter(character: str, before: str, after: str, *, named: bool, alone: bool) -> bool:
    """Whether it names a choice, and is neither an article, a pronoun nor a variable of a formula."""
    enclosed = before[-1:] in tuple(_OPENING) and after[:1] in tuple("*_)]}\"'”’」』】>$`")
    if character in "AaIi" and not enclosed and _AFTER_LETTER_A.match(after) is None:
        return alone or (character == "A" and _LETTER_NEXT.match(after) is not None)
    slip = re.match(r"\s(?!(?:or|and|because|since|as|for|[B-Z])\b)\w", after) is not None
    if character in "Aa" and not enclosed and before[-3:].lower().endswith("is ") and slip:
        return False  # "is a and" is no choice of A, but a slip of an article
    if character.islower():
        return named or ((before[-1:] == "(" or not before.strip()) and after[:1] == ")") or alone
    return True


def _only_letter(group: Sequence[_Mention]) -> str | None:
    found = {mention.letter for mention in group}
    return found.pop() if len(found) == 1 else None


def _leading_label(text: str, letters: str) -> str | None:
    """The letter that the answer begins with, where it is no list of the choices: `B. Paris, not C. Rome`."""
    labels = _LABEL.findall(text)
    if len(set(labels)) > 1:
        return None
    match = re.match(
        r"[\s*_(\[\"'`$]{0,8}([A-Z])[*_)\]\"'`$]{0,4}(?:[.,:;)]|\s(?:because|since|as)\b|\s[-–—]|\n)", text
    )
    return match[1] if match is not None and match[1] in letters else None


def _leading_letter(text: str, letters: str) -> str | None:
    match = _STARTING_LETTER.match(text)
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
