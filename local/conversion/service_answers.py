"""What a service answered, as programs log it: the message within OpenAI's Chat Completions and Responses, a line of
its batches, Anthropic's Messages, and Bedrock's Converse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from local.conversion.invocation_log import Unanswered
from tunedrop.dataset.show import shown

_CUT: Final = frozenset({"length", "max_tokens", "content_filter", "max_output_tokens"})
"""Reasons to stop of an answer that is not whole."""


def said_by(value: Any) -> Any:  # noqa: PLR0911 - a service each
    """The turns of an answer that a service gave or that is a turn itself; any other value as it is.

    Raises Unanswered where the answer was cut off, so that it is no reference.
    """
    if isinstance(value, dict) and isinstance(value.get("body"), dict) and "status_code" in value:
        value = value["body"]  # of a batch
    choices = value.get("choices") if isinstance(value, dict) else value
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, dict) and isinstance(first.get("message"), dict):
        _refuse_cut(first.get("finish_reason"))
        return [first["message"]]
    if not isinstance(value, dict):
        return value
    if value.get("object") == "response" and isinstance(value.get("output"), list):
        details = value.get("incomplete_details")
        _refuse_cut(details.get("reason") if isinstance(details, Mapping) else None)
        return value["output"]
    if isinstance(value.get("output"), dict) and isinstance(value["output"].get("message"), dict):
        _refuse_cut(value.get("stopReason"))
        return [value["output"]["message"]]
    if value.keys() == {"message"} and isinstance(value["message"], dict):
        return [value["message"]]
    if value.get("type") == "message" and value.get("role") == "assistant":
        _refuse_cut(value.get("stop_reason"))
        return [{"role": "assistant", "content": value.get("content")}]
    return [value] if value.keys() in ({"role", "content"}, {"from", "value"}) else value


def _refuse_cut(reason: Any) -> None:
    if reason in _CUT:
        raise Unanswered(f"the model stopped with {shown(reason)}")
