"""Reading harmony, the format in which gpt-oss writes: a turn is a row of messages, each in a channel.

`analysis` is thought, `commentary` is thought or the call of a tool, and only `final` is the answer. A host may show
the special tokens or leave them out, when `analysis…assistantfinal…` remains.
github.com/openai/harmony, docs/format.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunedrop.graders.late_pattern import late
from tunedrop.graders.quoted_spans import QuotedSpans

_HEADER = late(
    r"(?:<\|start\|>\s{0,9}(?P<role>[\w.:-]{0,80})(?P<before>[^<]{0,200}))?"
    r"(?:<\|channel\|>\s{0,9}(?P<channel>analysis|commentary|final)"
    r"(?:(?P<behind>[^<]{0,200})(?:<\|constrain\|>[^<]{0,40})?<\|message\|>)?"
    r"|<\|message\|>)"
)
_END = late(r"<\|(?:end|return|call|im_end|endoftext)\|>")
_LEAD = late(
    r"\s*(?:assistant)?(?P<channel>analysis|commentary|final)"
    r"(?:(?=[A-Z0-9\"{\\$*#`]|\[[\"{\]])|(?<=commentary)(?= to=)|(?<=analysis)(?=[^\W\d_]{2}))"
)
_PLAIN = late(r"assistant(?: to=(?P<to>[\w.-]{1,128}?)|[ \n]{0,2})(?P<channel>analysis|commentary|final)")
_PLAIN_UNLED = late(
    r"assistant(?: to=(?P<to>functions\.[\w.-]{1,128}?)(?=commentary|analysis)|(?=final|commentary to=functions\.))"
    r"(?P<channel>analysis|commentary|final)"
)
"""Where no channel begins the text: words of an answer must not be taken for one."""
_PLAIN_BODY = late(r"\s*(?:json|code)?\s*(?=\{)")
_PLAIN_RECIPIENT = late(
    r"\s+to=(?P<to>[\w.-]{1,128}?)(?:\s*(?:<\|constrain\|>)?\s*(?:json|code))?(?:<\|message\|>)?\s*(?=\{)"
)
_UNLED_SIGNS = ("assistantfinal", "assistant to=functions.", "assistantcommentary to=functions.")
_OWN_TOOLS = ("python", "browser", "container")
_RECIPIENT = late(r"to=([\w.-]{1,128})")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: what its channels hold."""

    final: str
    thoughts: tuple[str, ...]
    calls: tuple[Mapping[str, Any], ...]
    unfinished: bool
    """Whether it has neither an answer nor a call."""


def read(text: str) -> Turn | None:
    """The turn, where the text is harmony; else None."""
    lead = _LEAD.match(text)
    if "<|channel|>" in text or ("<|message|>" in text and lead is None):
        headers = list(_HEADER.finditer(text))
        if headers and _is_mark(text, headers[0].start()):
            return _with_tokens(text, headers)
    if lead is not None or any(sign in text for sign in _UNLED_SIGNS):
        return _without_tokens(text, lead)
    if text.lstrip().startswith("analysis") and (turn := _lower_case(text)) is not None:
        return turn
    return None


def _is_mark(text: str, position: int) -> bool:
    return not text[:position].strip() or not QuotedSpans(text).covers(position)


def _with_tokens(text: str, headers: list[re.Match[str]]) -> Turn:
    parts: list[tuple[str, str, str]] = []
    for number, header in enumerate(headers):
        stop = headers[number + 1].start() if number + 1 < len(headers) else len(text)
        ended = _END.search(text, header.end(), stop)
        body = text[header.end() : ended.start() if ended else stop]
        to = _RECIPIENT.search(f"{header['before'] or ''} {header['behind'] or ''}")
        role = header["role"] or "assistant"
        if role == "assistant":
            parts.append((header["channel"] or "final", to[1] if to else "", body))
    before = _END.split(text[: headers[0].start()], maxsplit=1)[0].strip()
    return _turn(before, parts)


def _without_tokens(text: str, lead: re.Match[str] | None) -> Turn | None:
    pattern = _PLAIN if lead is not None else _PLAIN_UNLED
    marks = list(pattern.finditer(text, lead.end() if lead else 0))
    if lead is None and not (marks and _is_mark(text, marks[0].start())):
        return None
    before = "" if lead else text[: marks[0].start()].strip()
    parts: list[tuple[str, str, str]] = []
    bounds = ([lead] if lead else []) + marks
    for number, mark in enumerate(bounds):
        stop = bounds[number + 1].start() if number + 1 < len(bounds) else len(text)
        to, body = mark.groupdict().get("to") or "", mark.end()
        if to and (begins := _PLAIN_BODY.match(text, body, stop)):
            body = begins.end()
        elif mark["channel"] == "commentary" and (named := _PLAIN_RECIPIENT.match(text, body, stop)):
            to, body = named["to"], named.end()
        said = text[body:stop]
        parts.append((mark["channel"], to, said if mark["channel"] == "final" else _END.split(said, maxsplit=1)[0]))
    return _turn(before, parts)


def _lower_case(text: str) -> Turn | None:
    """`analysis` before a thought that begins in lower case, or on a line of its own: harmony if `final` follows."""
    start = text.index("analysis") + len("analysis")
    marks = list(_PLAIN.finditer(text, start))
    if not any(mark["channel"] == "final" for mark in marks):
        return None
    parts = [("analysis", "", text[start : marks[0].start()])]
    for number, mark in enumerate(marks):
        stop = marks[number + 1].start() if number + 1 < len(marks) else len(text)
        parts.append((mark["channel"], "", text[mark.end() : stop]))
    return _turn("", parts)


def _turn(before: str, parts: list[tuple[str, str, str]]) -> Turn:
    """`before` is what stands before the first channel: thoughts that the prompt had opened, or the answer itself."""
    finals = [body.strip() for channel, _, body in parts if channel == "final"]
    calls = tuple(call for channel, to, body in parts if channel != "final" and (call := _call(to, body)))
    thoughts = [body.strip() for channel, to, body in parts if channel != "final" and not _call(to, body)]
    if before and (finals or calls):
        thoughts.insert(0, before)
    elif before:
        finals = [before]
    return Turn("\n".join(filter(None, finals)), tuple(thoughts), calls, not finals and not calls)


def _call(recipient: str, body: str) -> Mapping[str, Any] | None:
    """The call of a function of the prompt's tools; the model's own tools (python, browser) are thought."""
    if not recipient or recipient.partition(".")[0] in _OWN_TOOLS:
        return None
    try:
        arguments: object = json.loads(body)
    except (ValueError, RecursionError):
        arguments = body.strip()
    return {"name": recipient.removeprefix("functions."), "arguments": arguments}
