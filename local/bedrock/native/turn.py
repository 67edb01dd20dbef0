"""The turn with which Nova answers: its blocks, and the events in which they are streamed.

A stream begins a block of text or reasoning with its first delta, and a call of a tool with a `contentBlockStart`
(API reference of Bedrock's runtime: ConverseStream).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import orjson

from local.bedrock.records import Document
from local.bedrock.simulated_model import REASONING, pieces

Shown = Literal["redacted", "text", "inline", "none"]
REDACTED = "[REDACTED]"  # what Nova 2 Lite shows of its reasoning


def blocks_of(text: str, calls: Sequence[Document], reasoning: Shown) -> list[Document]:
    """The content of the turn. `calls`: as chat completions show them; they stand for the text that they were."""
    shown = {"redacted": REDACTED, "text": REASONING}.get(reasoning)
    blocks: list[Document] = [{"reasoningContent": {"reasoningText": {"text": shown}}}] if shown else []
    said = "" if calls else text
    if reasoning == "inline":
        said = f"<thinking>{REASONING}</thinking>\n{said}"
    if said or not calls:
        blocks.append({"text": said})
    return [*blocks, *map(_tool_use, calls)]


def events_of(blocks: Sequence[Document], stop_reason: str) -> Iterator[tuple[str, Document]]:
    """The events of the turn, each with its kind."""
    yield "messageStart", {"role": "assistant"}
    for place, block in enumerate(blocks):
        index = {"contentBlockIndex": place}
        if "toolUse" in block:
            call = block["toolUse"]
            begun = {"toolUseId": call["toolUseId"], "name": call["name"]}
            yield "contentBlockStart", {"start": {"toolUse": begun}, **index}
            for piece in pieces(orjson.dumps(call["input"]).decode()):
                yield "contentBlockDelta", {"delta": {"toolUse": {"input": piece}}, **index}
        elif "reasoningContent" in block:
            for piece in pieces(block["reasoningContent"]["reasoningText"]["text"]):
                yield "contentBlockDelta", {"delta": {"reasoningContent": {"text": piece}}, **index}
        else:
            for piece in pieces(block["text"]):
                yield "contentBlockDelta", {"delta": {"text": piece}, **index}
        yield "contentBlockStop", index
    yield "messageStop", {"stopReason": stop_reason}


def _tool_use(call: Document) -> Document:
    function = call["function"]
    return {
        "toolUse": {
            "toolUseId": call["id"].replace("call_", "tooluse_", 1),
            "name": function["name"],
            "input": orjson.loads(function["arguments"]),
        }
    }
