"""The Responses API: made, streamed or not, and kept for the next turn."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.answers import Answer
from local.bedrock.errors import invalid, not_found, not_imitated, unknown_parameter
from local.bedrock.grading import WITHIN_TEXT
from local.bedrock.http import JsonResponse, json_body, server_sent
from local.bedrock.mantle.asking import Asking, whole
from local.bedrock.mantle.fields import REASONING as REASONING_FIELDS
from local.bedrock.mantle.fields import RESPONSE, flag, with_usage
from local.bedrock.mantle.items import check_calls, messages_of, read_items
from local.bedrock.mantle.lists import asked_limit, list_object, page_of
from local.bedrock.mantle.response_events import events_of
from local.bedrock.mantle.writing import Writing
from local.bedrock.models import AskedModel
from local.bedrock.records import Document
from local.bedrock.service import Service
from local.bedrock.simulated_model import REASONING, tokens_of
from local.bedrock.tool_calls import calls_of, check_tools

_MOST_TOKENS = 2**31 - 1
_ENCRYPTED = "reasoning.encrypted_content"
_SEALED = "c2ltdWxhdGVk"  # stands for reasoning that only the service can read
_ITEMS_A_PAGE, _MOST_ITEMS_A_PAGE = 20, 100  # OpenAI's


class Responses:
    """The routes' handlers."""

    def __init__(self, service: Service, asking: Asking) -> None:
        self._service = service
        self._asking = asking

    async def create(self, request: Request) -> Response:
        """POST /v1/responses"""
        service = self._service
        body = await json_body(request)
        RESPONSE.check(body, service.switches)
        _check_inner(body, service)
        may_call, parallel = check_tools(body, flat=True), body.get("parallel_tool_calls") is not False
        model = self._asking.model(body)
        streamed = flag(body, "stream")
        with_usage(body)
        if streamed and model.base.owner == "qwen" and not service.switches.qwen_streams_responses:
            raise invalid(f"Model '{model.model_id}' does not support streaming responses.", param="stream")
        previous = body.get("previous_response_id")
        before = service.responses.conversation(_text(previous, "previous_response_id")) if previous else []
        items = read_items(body.get("input"), service.responses.item)
        check_calls([*before, *items])
        messages = messages_of([*before, *items])
        if body.get("instructions") is not None:
            messages.insert(0, {"role": "system", "content": _text(body["instructions"], "instructions")})
        max_tokens = whole(body, "max_output_tokens", least=1, most=_MOST_TOKENS)
        asked = {name: body.get(name) for name in ("temperature", "top_p")}
        way = service.switches.responses_reasoning if self._asking.engine.reasons else "none"
        if streamed and not may_call and self._asking.engine.weights:
            writing = await self._asking.writing(model, messages, asked, max_tokens=max_tokens)
            return server_sent(self._live_stream(body, model, writing, items))
        tools = body.get("tools") or ()
        told = await self._asking.answers(model, messages, asked, max_tokens=max_tokens, tools=tools)
        (answer,) = told.replies
        calls = calls_of(answer.text, parallel=parallel) if may_call and answer.finish == "stop" else []
        response = _response(body, model, answer, calls, asked=told.prompt_tokens, way=way)
        if response["store"]:
            service.responses.put(response, items)
        return server_sent(self._stream(response)) if streamed else JsonResponse(response)

    async def retrieve(self, request: Request) -> Response:
        """GET /v1/responses/{response_id}"""
        if request.query_params.get("stream") == "true":
            raise not_imitated("stream")
        return JsonResponse(self._find(request))

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/responses/{response_id}"""
        name = self._find(request)["id"]
        self._service.responses.delete(name)
        return JsonResponse({"id": name, "object": "response", "deleted": True})

    async def cancel(self, request: Request) -> Response:
        """POST /v1/responses/{response_id}/cancel: none runs in the background"""
        raise invalid(f"Response '{self._find(request)['id']}' cannot be cancelled: it is not a background response.")

    async def items(self, request: Request) -> Response:
        """GET /v1/responses/{response_id}/input_items, newest first unless the request says otherwise"""
        query = request.query_params
        order = query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise invalid(f"Invalid 'order': expected 'asc' or 'desc', got {order[:100]!r}.", param="order")
        switches = self._service.switches
        limit = asked_limit(query, default=_ITEMS_A_PAGE, largest=_MOST_ITEMS_A_PAGE, switches=switches)
        asked = self._service.responses.asked_with(self._find(request)["id"])
        return JsonResponse(list_object(page_of(asked if order == "asc" else asked[::-1], query, limit)))

    def _find(self, request: Request) -> Document:
        name = request.path_params["response_id"]
        found = self._service.responses.get(name)
        if found is None:
            raise not_found("response", name[:100])
        return found

    async def _live_stream(
        self, body: Document, model: AskedModel, writing: Writing, items: list[Document]
    ) -> AsyncIterator[bytes]:
        """The events of a response that is being written: its beginning, its text as it comes, its end."""
        begun = _response(body, model, Answer("", 0, "stop"), (), asked=0, way="none")
        item = begun["output"][0]
        numbers = itertools.count()
        for event in events_of(begun):
            if event["type"] == "response.output_text.done":
                break
            yield _sent(event, next(numbers))
        where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        async for _, piece in writing.pieces():
            delta = {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
            yield _sent(delta, next(numbers))
        told = await writing.answers()
        ended = _response(body, model, told.replies[0], (), asked=told.prompt_tokens, way="none")
        ended |= {"id": begun["id"], "created_at": begun["created_at"]}
        ended["output"][0]["id"] = item["id"]
        if ended["store"]:
            self._service.responses.put(ended, items)
        left = itertools.dropwhile(lambda event: event["type"] != "response.output_text.done", events_of(ended))
        for event in left:
            yield _sent(event, next(numbers))

    async def _stream(self, response: Document) -> AsyncIterator[bytes]:
        for number, event in enumerate(events_of(response)):
            if event["type"].endswith(".delta"):
                await self._asking.pause()
            yield _sent(event, number)


def _sent(event: Document, number: int) -> bytes:
    sent = orjson.dumps({**event, "sequence_number": number})
    return f"event: {event['type']}\n".encode() + b"data: " + sent + b"\n\n"


def _check_inner(body: Document, service: Service) -> None:
    """Check what is inside of `include`, `reasoning`, `text` and `metadata`. Raises ApiError (400, 501)."""
    for name in _list(body, "include"):
        if name != _ENCRYPTED:
            raise not_imitated(f"include '{str(name)[:100]}'", param="include")
    REASONING_FIELDS.check(_object(body, "reasoning"), service.switches)
    for name, value in _object(body, "text").items():
        if name == "format":
            if value not in (None, {"type": "text"}):
                raise not_imitated("text.format")
        elif name != "verbosity":
            raise unknown_parameter(f"text.{name}")


def _object(body: Document, name: str) -> Document:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise invalid(f"Invalid '{name}': expected an object.", param=name)
    return value or {}


def _list(body: Document, name: str) -> list[Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, list):
        raise invalid(f"Invalid '{name}': expected a list.", param=name)
    return value or []


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"Invalid '{name}': expected a text.", param=name)
    return value


def _response(
    body: Document, model: AskedModel, answer: Answer, calls: Sequence[Document], *, asked: int, way: str
) -> Document:
    whole_answer = answer.finish == "stop"
    thinks = model.reasons or way == "think"
    reasoning_tokens = tokens_of(REASONING) if thinks else 0
    before, behind = WITHIN_TEXT.get(way, ("", "")) if thinks else ("", "")
    text = f"{before}{REASONING}{behind}" if behind else ""
    output = [_reasoning(_list(body, "include"))] if model.reasons and way == "item" else []
    text += "" if calls else answer.text
    if text or not calls:
        output.append(_message(text, whole_answer=whole_answer))
    output += map(_function_call, calls)
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "model": model.model_id,
        "status": "completed" if whole_answer else "incomplete",
        "error": None,
        "incomplete_details": None if whole_answer else {"reason": "max_output_tokens"},
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "output": output,
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id") or None,
        "reasoning": {"effort": _object(body, "reasoning").get("effort"), "summary": None},
        "store": body.get("store") is not False,
        "temperature": 1.0 if body.get("temperature") is None else body["temperature"],
        "text": {**_object(body, "text"), "format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0 if body.get("top_p") is None else body["top_p"],
        "truncation": body.get("truncation") or "disabled",
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answer.tokens + reasoning_tokens,
            "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
            "total_tokens": asked + answer.tokens + reasoning_tokens,
        },
    }


def _reasoning(include: Sequence[Any]) -> Document:
    return {
        "id": f"rs_{uuid.uuid4().hex}",
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": REASONING}],
        "status": "completed",
        **({"encrypted_content": _SEALED} if _ENCRYPTED in include else {}),
    }


def _message(text: str, *, whole_answer: bool) -> Document:
    return {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "status": "completed" if whole_answer else "incomplete",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }


def _function_call(call: Document) -> Document:
    return {
        "id": f"fc_{uuid.uuid4().hex}",
        "type": "function_call",
        "status": "completed",
        "call_id": call["id"],
        **call["function"],
    }
