"""Reading the one JSON document of a model's answer: strictly, and within bounds."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from tunedrop.graders.late_pattern import late
from tunedrop.graders.sample import JSON

LONGEST_ANSWER = 256 * 1024
"""Characters; a longer answer is refused unread."""
DEEPEST = 64
"""How deep arrays and objects may nest."""
MOST_VALUES = 20_000
"""Values of one document, keys not counted."""

Surroundings = Literal["none", "fence", "text"]
SURROUNDINGS: tuple[Surroundings, ...] = ("none", "fence", "text")

_LANGUAGES = ("", "json", "json5", "jsonc", "javascript", "js", "text", "plaintext", "txt")
_FENCE_MARK = late(
    r"(?m)(`{3,10}|~{3,10})[ \t]{0,40}(?:\{\.?(?=\w{1,20}\}))?(\w{0,20})"
    r"(?:\}(?=\s)|(?:[ \t]{1,9}[\w.-]{1,20}=[^\s\[{]{1,80}){1,5}(?=\n))?"
)
_IN_A_TAG = late(r"<([A-Za-z][\w.-]{0,30})>(.*)</\1>", re.DOTALL)
_IN_BACKTICKS = late(r"`([^`]+)`")
_QUOTED_LINE = late(r"(?m)^>[ \t]?")
_LISTED = late(r"(?:[-*+]|\d{1,2}[.)])[ \t]+(?=`{3}|~{3})")
_LANGUAGE_ALONE = late(r"json[ \t]*\n\s*(?=[\[{])", re.IGNORECASE)
_LOST_OPENING = late(r"(?<=[\]}])\s*(?:`{3}|~{3})\s*\Z")
_MOST_FENCES = 40


class NotOneDocument(ValueError):
    """The answer is not one strict JSON document within bounds; the message says why, without quoting the answer."""


def read_answer(answer: str, surroundings: Surroundings) -> JSON:
    """The document of an answer.

    `surroundings` says what may stand around it: "none"; "fence", a fenced block or a tag as the whole answer; "text",
    any text, as long as it holds exactly one fenced or one bare object or array (two are hedging).
    Raises NotOneDocument.
    """
    if len(answer) > LONGEST_ANSWER:
        raise NotOneDocument(f"the answer has {len(answer):,} characters, more than {LONGEST_ANSWER:,}")
    text = answer.replace("\r\n", "\n").strip().removeprefix("\ufeff")
    if not text:
        raise NotOneDocument("the answer is empty")
    if surroundings == "none":
        return parse(text)
    text = _unwrapped(text)
    if surroundings == "text":
        return _only_document_in(text)
    blocks = _fenced(text)
    return parse(blocks[0].text if len(blocks) == 1 and blocks[0].whole else text)


def _unwrapped(text: str) -> str:
    """The text without what is written around all of it: a tag, a quotation's marks, a list's mark, back-ticks."""
    if text.startswith(">") and all(line.startswith(">") for line in text.split("\n")):
        text = _QUOTED_LINE.sub("", text).strip()
    tagged = _IN_A_TAG.fullmatch(text)
    if tagged is not None and f"<{tagged[1]}>" not in tagged[2]:
        text = tagged[2].strip()
    quoted = _IN_BACKTICKS.fullmatch(text)
    text = text if quoted is None else quoted[1].strip()
    text = _LANGUAGE_ALONE.sub("", _LISTED.sub("", text, count=1) if text[:1] in "-*+0123456789" else text, count=1)
    if text[:1] in ("{", "["):  # the prompt had opened the fence
        text = _LOST_OPENING.sub("", text)
    return text


def documents_in(answer: str) -> list[JSON]:
    """The documents of an answer that is nothing but several, one after the other; empty for any other answer."""
    if len(answer) > LONGEST_ANSWER:
        return []
    text = answer.replace("\r\n", "\n").strip()
    blocks = _fenced(text)
    try:
        if blocks:
            around = _FENCE_MARK.sub("", text)
            for block in blocks:
                around = around.replace(block.text, "", 1)
            return [] if around.strip(" \n,;") else [parse(block.text) for block in blocks]
        documents: list[JSON] = []
        position = 0
        while position < len(text) and len(documents) <= _MOST_FENCES:
            document, position = _decoder().raw_decode(text, position)
            _check_size(document)
            documents.append(document)
            while position < len(text) and text[position] in " \n\t,;":
                position += 1
    except (ValueError, RecursionError):
        return []
    return documents


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block of an answer; `whole`: nothing stands around it."""

    text: str
    whole: bool
    says_json: bool


def _fenced(text: str) -> list[_Block]:
    """The fenced blocks that may hold JSON, also on one line, also with fences inside of the values.

    A block begins where a mark is followed by the start of a document. It ends with the document, where that can be
    read, and else at the next mark of the same kind.
    """
    blocks: list[_Block] = []
    position = 0
    for mark in list(_FENCE_MARK.finditer(text))[:_MOST_FENCES]:
        if mark.start() < position:
            continue
        language, begin = mark[2].lower(), mark.end()
        line_end = text.find("\n", begin)
        own_line = not text[begin : line_end if line_end >= 0 else len(text)].strip()
        if language not in _LANGUAGES and (own_line or not text[begin:].lstrip().startswith(("{", "["))):
            # Another language's block is skipped whole.
            closing = text.find(mark[1], begin)
            position = len(text) if closing < 0 else closing + len(mark[1])
            continue
        ended = _end_of_document(text, begin)
        closing = text.find(mark[1], ended if ended is not None else begin)
        if closing < 0 and (ended is None or text[ended:].strip()):
            continue
        body = text[begin:closing] if closing >= 0 else text[begin:]  # an answer may stop before its last mark
        position = closing + len(mark[1]) if closing >= 0 else len(text)
        if body.strip():
            whole = not text[: mark.start()].strip() and not text[position:].strip()
            blocks.append(_Block(body, whole, language.startswith("json")))
    return blocks


def _end_of_document(text: str, begin: int) -> int | None:
    """Where the document that starts at `begin` ends; None where none can be read."""
    while begin < len(text) and text[begin].isspace():
        begin += 1
    try:
        return _decoder().raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        return None


def _only_document_in(text: str) -> JSON:
    fenced = _fenced(text)
    if len(fenced) > 1:  # a program or a text in a fence of its own is no document
        fenced = [block for block in fenced if block.says_json or _is_document(block.text)] or fenced
    if fenced:
        if len(fenced) > 1:
            raise NotOneDocument(f"the answer has {len(fenced)} fenced documents, expected one")
        return parse(fenced[0].text)
    try:
        return parse(text)
    except NotOneDocument:
        found = list(_bare_documents(text))
    if len(found) > 1 and any(isinstance(document, dict) for document in found):
        # "See [1]." above an object and "[1] The invoice." below it are a footnote, no second answer.
        found = [document for document in found if not _is_footnote(document)]
    if len(found) != 1:
        raise NotOneDocument(f"the answer has {len(found)} documents in its text, expected one")
    return found[0]


def _is_document(text: str) -> bool:
    try:
        parse(text.strip())
    except NotOneDocument:
        return False
    return True


def _is_footnote(document: JSON) -> bool:
    return isinstance(document, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in document)


def _bare_documents(text: str) -> list[JSON]:
    """The outermost objects and arrays in a text. At most a hundred starts are tried, so the time is bounded."""
    documents: list[JSON] = []
    position, tries = 0, 0
    while (start := _next_start(text, position)) >= 0 and tries < 100:
        tries += 1
        try:
            document, position = _decoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            continue
        _check_size(document)
        documents.append(document)
    return documents


def _next_start(text: str, position: int) -> int:
    starts = [found for mark in "{[" if (found := text.find(mark, position)) >= 0]
    return min(starts, default=-1)


def parse(text: str) -> JSON:
    """One strict JSON text: no duplicate keys, no NaN or infinities, nothing after it. Raises NotOneDocument."""
    try:
        document: JSON = _decoder().decode(text)
    except NotOneDocument:
        raise
    except json.JSONDecodeError as error:
        raise NotOneDocument(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotOneDocument(f"the document nests deeper than {DEEPEST}") from None
    except ValueError:  # an integer of more digits than Python converts
        raise NotOneDocument("a number with too many digits") from None
    _check_size(document)
    return document


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_real)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotOneDocument("an object with the same key twice")
    return members


def _no_constant(_: str) -> float:
    raise NotOneDocument("NaN and infinities are no JSON")


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotOneDocument("a number beyond the range of a float")
    return value


def _check_size(document: JSON) -> None:
    waiting: list[tuple[JSON, int]] = [(document, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_VALUES:
            raise NotOneDocument(f"the document nests deeper than {DEEPEST} or has more than {MOST_VALUES:,} values")
        if isinstance(value, dict):
            waiting.extend((member, depth + 1) for member in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
