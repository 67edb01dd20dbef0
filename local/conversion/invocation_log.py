"""Records of Bedrock's model invocation log: what was asked in production, and what the model answered.

Read are Converse, and InvokeModel with messages (Anthropic's, OpenAI's, Amazon Nova's) or with one text (Titan's,
Llama's, Mistral's), streamed or not; and the records of batch inference, which hold the same bodies. The log's own
fields (account, identity, tokens) are left out; the request's id becomes the row's `id`.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html
"""

from __future__ import annotations

import re
from typing import Any, Final

from local.conversion.fault import ConversionError
from local.conversion.fields import parsed
from local.conversion.notes import Notes
from local.conversion.task import Task
from local.conversion.turns import answer_of, text_of_content, turns_of, with_system
from tunedrop.dataset.show import shown

_WHOLE: Final = frozenset(
    {"end_turn", "stop", "stop_sequence", "tool_use", "tool_calls", "FINISH", "FINISHED", "COMPLETE"}
)
"""Reasons to stop of an answer that is whole."""
_NO_TEXT: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"taskType"}), "an image or a video"),
    (frozenset({"query", "documents"}), "a ranking"),
    (frozenset({"source", "content"}), "a guardrail's judgement"),
)
"""Fields of a request for something other than an answer in text."""
CHAT_MARKS: Final = re.compile(r"<\|[a-z_]+\|>|\[INST\]|\n\nHuman:")


class Unanswered(ConversionError):
    """There is no whole answer; such a record is left out and counted."""


def read(row: dict[str, Any], notes: Notes) -> Task:
    """What was asked and answered. Raises Unanswered, or ConversionError where the record does not say it."""
    failed = row.get("errorCode") or row.get("error")
    if failed:
        raise Unanswered(f"the call failed with {shown(failed)}")
    asked, answered = _body(row, "input"), _body(row, "output")
    if isinstance(answered, dict) and ("embedding" in answered or "embeddings" in answered):
        raise Unanswered("the call asked for an embedding")
    if isinstance(asked, dict):
        other = next((what for keys, what in _NO_TEXT if keys <= asked.keys()), None)
        if other is not None:
            raise Unanswered(f"the call asked for {other}")
    turns = _asked(asked, notes)
    stopped = _stop_reason(answered)
    if stopped is not None and stopped not in _WHOLE:
        raise Unanswered(f"the model stopped with {shown(stopped)}")
    others: dict[str, Any] = {"modelId": row["modelId"]} if "modelId" in row else {}
    name = row.get("requestId", row.get("recordId"))
    if isinstance(name, str):
        others = {"id": name, **others}
    others |= {key: asked[key] for key in ("tools", "toolConfig") if asked.get(key)}
    return Task(turns, others, answer_of(_turn_of(answered, notes), notes), "what the model answered then")


def _body(row: dict[str, Any], side: str) -> Any:
    if f"model{side.title()}" in row:
        return parsed(row[f"model{side.title()}"])
    part = row.get(side)
    if not isinstance(part, dict):
        raise ConversionError(f"expected `{side}`, an object, got {shown(part)}")
    if f"{side}BodyS3Path" in part:
        raise ConversionError(f"the {side} is in another file, {shown(part[f'{side}BodyS3Path'])}; put it in its place")
    return parsed(part.get(f"{side}BodyJson"))


def _asked(body: Any, notes: Notes) -> list[dict[str, Any]]:
    """The turns of a request's body."""
    if not isinstance(body, dict):
        raise ConversionError(f"expected `input.inputBodyJson.messages`, got {shown(body)}")
    text = body.get("prompt", body.get("inputText"))
    if "messages" not in body and isinstance(text, str):
        if CHAT_MARKS.search(text):
            raise ConversionError(
                f"the prompt is in a model's own chat template, {shown(text)}; write it as `messages`"
            )
        return [{"role": "user", "content": text}]
    if not isinstance(body.get("messages"), list):
        raise ConversionError(f"expected `input.inputBodyJson.messages`, got {shown(body)}")
    turns = turns_of(body["messages"], "messages", notes)
    if body.get("system"):
        turns = with_system(turns, text_of_content(body["system"], "system", notes), "`system`")
    return turns


def _stop_reason(body: Any) -> str | None:
    """Why the model stopped, where the answer's body says it."""
    for part in reversed(body) if isinstance(body, list) else [body]:
        inner = part.get("messageStop", part.get("delta", part)) if isinstance(part, dict) else None
        inner = _first(inner, "choices", "results", "outputs")
        if isinstance(inner, dict):
            found = next((inner[key] for key in _STOPS if isinstance(inner.get(key), str)), None)
            if found is not None:
                return str(found)
    return None


_STOPS: Final = ("stopReason", "stop_reason", "finish_reason", "completionReason")


def _first(body: Any, *names: str) -> Any:
    """The first item of the body's list, if it has one by such a name; else the body."""
    for name in names:
        items = body.get(name) if isinstance(body, dict) else None
        if isinstance(items, list) and items and isinstance(items[0], dict):
            return items[0]
    return body


def _turn_of(body: Any, notes: Notes) -> dict[str, Any]:
    """The assistant's turn of an answer's body."""
    if isinstance(body, list):
        return {"role": "assistant", "content": _streamed(body)}
    message = None
    if isinstance(body, dict):
        output, first = body.get("output"), _first(body, "choices", "results", "outputs")
        text = next((first[key] for key in _TEXTS if isinstance(first.get(key), str)), None)
        if isinstance(output, dict):
            message = output.get("message")
        elif isinstance(first.get("message"), dict):
            message = first["message"]
        elif text is not None:
            message = {"role": "assistant", "content": text}
        elif "content" in body:
            message = {"role": "assistant", "content": body["content"]}
    if not isinstance(message, dict):
        raise ConversionError(f"expected the model's message in `output.outputBodyJson`, got {shown(body)}")
    return turns_of([message], "output.outputBodyJson", notes)[-1]


_TEXTS: Final = ("outputText", "generation", "completion", "text")


def _streamed(chunks: list[Any]) -> str:
    """The text of a streamed answer: Anthropic's and Converse's deltas of text, joined."""
    texts = []
    for chunk in chunks:
        inner = chunk.get("contentBlockDelta", chunk) if isinstance(chunk, dict) else {}
        delta = inner.get("delta") if isinstance(inner, dict) else None
        if isinstance(delta, dict) and ("partial_json" in delta or "toolUse" in delta):
            raise ConversionError("the streamed answer calls a tool; leave the row out")
        first = _first(chunk, "choices", "outputs")
        if delta is None and isinstance(first, dict) and isinstance(first.get("delta"), dict):
            delta = first["delta"]
            if delta.get("tool_calls"):
                raise ConversionError("the streamed answer calls a tool; leave the row out")
        said = delta if isinstance(delta, dict) else first
        if isinstance(said, dict):
            texts += [said[key] for key in (*_TEXTS, "content") if isinstance(said.get(key), str)][:1]
    if not "".join(texts).strip():
        raise ConversionError("the streamed answer has no text in a form that is known; leave the row out")
    return "".join(texts)
