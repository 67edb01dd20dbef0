"""The events in which a response is streamed, as the openai SDK reads them."""

from __future__ import annotations

from collections.abc import Iterator

from local.bedrock.records import Document
from local.bedrock.simulated_model import pieces


def events_of(response: Document) -> Iterator[Document]:
    """The stream's events in order: the response as it begins, each item of its output, the response as it is."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for place, item in enumerate(response["output"]):
        calls = item["type"] == "function_call"
        empty: Document = {"arguments": ""} if calls else {"content": []}
        added = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": place, "item": added}
        yield from _call_events(item, place) if calls else _text_events(item, place)
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    ended = "completed" if response["status"] == "completed" else "incomplete"
    yield {"type": f"response.{ended}", "response": response}


def _call_events(item: Document, place: int) -> Iterator[Document]:
    where = {"item_id": item["id"], "output_index": place}
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
    whole = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **where, **whole}


def _text_events(item: Document, place: int) -> Iterator[Document]:
    """Of an item with one part: a message's text, or the text of reasoning."""
    where = {"item_id": item["id"], "output_index": place, "content_index": 0}
    part = item["content"][0]
    reasoning = item["type"] == "reasoning"
    kind, text = ("reasoning_part", "reasoning_text") if reasoning else ("content_part", "output_text")
    extra: Document = {} if reasoning else {"logprobs": []}
    yield {"type": f"response.{kind}.added", **where, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield {"type": f"response.{text}.delta", **where, "delta": piece, **extra}
    yield {"type": f"response.{text}.done", **where, "text": part["text"], **extra}
    yield {"type": f"response.{kind}.done", **where, "part": part}
