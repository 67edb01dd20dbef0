"""POST /v1/responses, streamed or not. Responses are not stored: there is none to retrieve."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.errors import invalid, unsupported
from local.bedrock.http import JsonResponse, json_body, server_sent
from local.bedrock.mantle.asking import Asking, check_messages, pieces, whole
from local.bedrock.models import AskedModel
from local.bedrock.records import Document
from local.bedrock.service import Service
from local.bedrock.simulated_model import REASONING, Answer, prompt_tokens, tokens_of

_ROLES = ("system", "developer", "user", "assistant")
_MOST_TOKENS = 2**31 - 1


class Responses:
    """The route's handler."""

    def __init__(self, service: Service, asking: Asking) -> None:
        self._service = service
        self._asking = asking

    async def create(self, request: Request) -> Response:
        """POST /v1/responses"""
        body = await json_body(request)
        model = self._asking.model(body)
        for name in ("previous_response_id", "conversation", "background"):
            if body.get(name):
                raise unsupported(name)
        if body.get("stream") and model.base.owner == "qwen" and not self._service.switches.qwen_streams_responses:
            raise invalid(f"Model '{model.model_id}' does not support streaming responses.", param="stream")
        messages = _messages(body)
        max_tokens = whole(body, "max_output_tokens", least=1, most=_MOST_TOKENS)
        (answer,) = await self._asking.answers(model, messages, {**body, "n": 1}, max_tokens=max_tokens)
        response = _response(body, model, answer, prompt_tokens(messages))
        if body.get("stream"):
            return server_sent(self._stream(response))
        return JsonResponse(response)

    async def _stream(self, response: Document) -> AsyncIterator[bytes]:
        for number, event in enumerate(_events(response)):
            if event["type"].endswith(".delta"):
                await self._asking.pause()
            sent = orjson.dumps({**event, "sequence_number": number})
            yield f"event: {event['type']}\n".encode() + b"data: " + sent + b"\n\n"


def _messages(body: Document) -> list[Document]:
    given: Any = body.get("input")
    messages: list[Document] = []
    if isinstance(body.get("instructions"), str):
        messages.append({"role": "system", "content": body["instructions"]})
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    return messages + check_messages(given, roles=_ROLES, param="input")


def _response(body: Document, model: AskedModel, answer: Answer, asked: int) -> Document:
    whole_answer = answer.finish == "stop"
    reasoning_tokens = tokens_of(REASONING) if model.base.reasons else 0
    output: list[Document] = []
    if model.base.reasons:
        output.append(
            {
                "id": f"rs_{uuid.uuid4().hex}",
                "type": "reasoning",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": REASONING}],
                "status": "completed",
            }
        )
    output.append(
        {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "status": "completed" if whole_answer else "incomplete",
            "content": [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}],
        }
    )
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
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort"), "summary": None},
        "store": False,
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answer.tokens + reasoning_tokens,
            "output_tokens_details": {"reasoning_tokens": reasoning_tokens},
            "total_tokens": asked + answer.tokens + reasoning_tokens,
        },
    }


def _events(response: Document) -> Iterator[Document]:
    """The stream's events in order, as the walkthrough's code reads them."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for place, item in enumerate(response["output"]):
        yield {
            "type": "response.output_item.added",
            "output_index": place,
            "item": {**item, "content": [], "status": "in_progress"},
        }
        where = {"item_id": item["id"], "output_index": place, "content_index": 0}
        part = item["content"][0]
        reasoning = item["type"] == "reasoning"
        added, done = (
            ("reasoning_part.added", "reasoning_part.done")
            if reasoning
            else ("content_part.added", "content_part.done")
        )
        text = "reasoning_text" if reasoning else "output_text"
        extra: Document = {} if reasoning else {"logprobs": []}
        yield {"type": f"response.{added}", **where, "part": {**part, "text": ""}}
        for piece in pieces(part["text"]):
            yield {"type": f"response.{text}.delta", **where, "delta": piece, **extra}
        yield {"type": f"response.{text}.done", **where, "text": part["text"], **extra}
        yield {"type": f"response.{done}", **where, "part": part}
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    ended = "completed" if response["status"] == "completed" else "incomplete"
    yield {"type": f"response.{ended}", "response": response}
