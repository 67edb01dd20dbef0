"""Records of Bedrock's model invocation log: what was asked in production, and what the model answered.

Read are Converse, and InvokeModel with Anthropic's, OpenAI's and Amazon Nova's messages, streamed or not. The log's own
fields (account, identity, tokens) are left out; the request's id becomes the row's `id`.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

from typing import Any

from local.conversion.fault import ConversionError
from local.conversion.notes import Notes
from local.conversion.task import Task
from local.conversion.turns import answer_of, text_of_content, turns_of, with_system
from tunedrop.dataset.show import shown


class Unanswered(ConversionError):
    """The call failed, so that there is no answer; such a record is left out and counted."""


def read(row: dict[str, Any], notes: Notes) -> Task:
    """What was asked and answered. Raises Unanswered, or ConversionError where the record does not say it."""
    if row.get("errorCode"):
        raise Unanswered(f"the call failed with {shown(row['errorCode'])}")
    asked, answered = _body(row, "input"), _body(row, "output")
    if isinstance(asked, dict) and asked.get("toolConfig"):
        raise ConversionError("the call had `toolConfig`; write its tools as OpenAI's `tools`, or leave the row out")
    if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
        raise ConversionError(f"expected `input.inputBodyJson.messages`, got {shown(asked)}")
    turns = turns_of(asked["messages"], "messages", notes)
    if asked.get("system"):
        turns = with_system(turns, text_of_content(asked["system"], "system", notes), "`system`")
    others: dict[str, Any] = {"modelId": row["modelId"]} if "modelId" in row else {}
    if isinstance(row.get("requestId"), str):
        others = {"id": row["requestId"], **others}
    if asked.get("tools"):
        others["tools"] = asked["tools"]
    return Task(turns, others, answer_of(_turn_of(answered, notes), notes), "what the model answered then")


def _body(row: dict[str, Any], side: str) -> Any:
    part = row.get(side)
    if not isinstance(part, dict):
        raise ConversionError(f"expected `{side}`, an object, got {shown(part)}")
    if f"{side}BodyS3Path" in part:
        raise ConversionError(f"the {side} is in another file, {shown(part[f'{side}BodyS3Path'])}; put it in its place")
    return part.get(f"{side}BodyJson")


def _turn_of(body: Any, notes: Notes) -> dict[str, Any]:
    """The assistant's turn of an answer's body."""
    if isinstance(body, list):
        return {"role": "assistant", "content": _streamed(body)}
    message = None
    if isinstance(body, dict):
        output, choices = body.get("output"), body.get("choices")
        if isinstance(output, dict):
            message = output.get("message")
        elif isinstance(choices, list) and choices and isinstance(choices[0], dict):
            message = choices[0].get("message")
        elif "content" in body:
            message = {"role": "assistant", "content": body["content"]}
    if not isinstance(message, dict):
        raise ConversionError(f"expected the model's message in `output.outputBodyJson`, got {shown(body)}")
    return turns_of([message], "output.outputBodyJson", notes)[0]


def _streamed(chunks: list[Any]) -> str:
    """The text of a streamed answer: Anthropic's and Converse's deltas of text, joined."""
    texts = []
    for chunk in chunks:
        inner = chunk.get("contentBlockDelta", chunk) if isinstance(chunk, dict) else {}
        delta = inner.get("delta") if isinstance(inner, dict) else None
        if isinstance(delta, dict) and ("partial_json" in delta or "toolUse" in delta):
            raise ConversionError("the streamed answer calls a tool; leave the row out")
        if isinstance(delta, dict) and isinstance(delta.get("text"), str):
            texts.append(delta["text"])
    return "".join(texts)
