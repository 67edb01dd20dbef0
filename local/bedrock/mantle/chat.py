"""POST /v1/chat/completions and /v1/completions, streamed or not."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import orjson
from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.answers import Answer
from local.bedrock.errors import ApiError, invalid, not_imitated
from local.bedrock.grading import WITHIN_TEXT
from local.bedrock.http import JsonResponse, json_body, server_sent
from local.bedrock.mantle.asking import Asking, check_messages, whole
from local.bedrock.mantle.fields import CHAT, TEXT, flag, with_usage
from local.bedrock.mantle.writing import Writing
from local.bedrock.models import AskedModel
from local.bedrock.records import Document
from local.bedrock.service import Service
from local.bedrock.simulated_model import REASONING, pieces
from local.bedrock.tool_calls import calls_of, check_tools

_ROLES = ("system", "developer", "user", "assistant", "tool")
_MOST_TOKENS = 2**31 - 1
_MOST_PROMPTS = 128


class Chat:
    """The routes' handlers."""

    def __init__(self, service: Service, asking: Asking) -> None:
        self._service = service
        self._asking = asking

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions"""
        body = await json_body(request)
        CHAT.check(body, self._service.switches)
        streamed, usage_sent = flag(body, "stream"), with_usage(body)
        model = self._asking.model(body)
        messages = check_messages(body.get("messages"), roles=_ROLES, param="messages")
        may_call = check_tools(body)
        newer = whole(body, "max_completion_tokens", least=1, most=_MOST_TOKENS)
        older = whole(body, "max_tokens", least=1, most=_MOST_TOKENS)
        head = _head("chatcmpl-", "chat.completion", model, self._fingerprint)
        if streamed and not may_call and self._asking.engine.weights:
            writing = await self._asking.writing(model, messages, body, max_tokens=newer or older)
            return server_sent(self._live_stream(head, writing, usage_sent=usage_sent))
        tools = body.get("tools") or ()
        told = await self._asking.answers(model, messages, body, max_tokens=newer or older, tools=tools)
        answers = told.replies
        usage = _usage(told.prompt_tokens, answers)
        parallel = body.get("parallel_tool_calls") is not False
        calls = [
            calls_of(answer.text, parallel=parallel) if may_call and answer.finish == "stop" else []
            for answer in answers
        ]
        answers = [replace(answer, text="") if made else answer for answer, made in zip(answers, calls, strict=True)]
        way = self._service.switches.chat_reasoning if self._asking.engine.reasons else "none"
        reasons = model.reasons and way == "field"
        before, behind = WITHIN_TEXT.get(way, ("", "")) if model.reasons or way == "think" else ("", "")
        if behind:
            answers = [replace(answer, text=f"{before}{REASONING}{behind}{answer.text}") for answer in answers]
        if streamed:
            return server_sent(self._chat_stream(head, answers, calls, usage if usage_sent else None, reasons=reasons))
        choices = [
            {
                "index": place,
                "message": {
                    "role": "assistant",
                    "content": (answer.text or None) if made else answer.text,
                    "refusal": None,
                    **({"reasoning_content": REASONING} if reasons else {}),
                    **({"tool_calls": made} if made else {}),
                },
                "logprobs": None,
                "finish_reason": "tool_calls" if made else answer.finish,
            }
            for place, (answer, made) in enumerate(zip(answers, calls, strict=True))
        ]
        return JsonResponse({**head, "choices": choices, "usage": usage})

    async def complete_text(self, request: Request) -> Response:
        """POST /v1/completions; each prompt is taken as one user message"""
        if not self._service.switches.completions:
            raise ApiError(404, "not_found", f"No such route: {request.url.path}")
        body = await json_body(request)
        TEXT.check(body, self._service.switches)
        streamed, usage_sent = flag(body, "stream"), with_usage(body)
        model = self._asking.model(body)
        max_tokens = whole(body, "max_tokens", least=1, most=_MOST_TOKENS)
        answers: list[Answer] = []
        asked = 0
        for prompt in _prompts(body):
            messages: list[Document] = [{"role": "user", "content": prompt}]
            told = await self._asking.answers(model, messages, body, max_tokens=max_tokens)
            answers += told.replies
            asked += told.prompt_tokens
        head = _head("cmpl-", "text_completion", model, self._fingerprint)
        usage = _usage(asked, answers)
        if streamed:
            return server_sent(self._text_stream(head, answers, usage if usage_sent else None))
        choices = [
            {"index": place, "text": answer.text, "logprobs": None, "finish_reason": answer.finish}
            for place, answer in enumerate(answers)
        ]
        return JsonResponse({**head, "choices": choices, "usage": usage})

    @property
    def _fingerprint(self) -> str:
        weights = self._asking.engine.weights
        return weights["name"] if weights else "simulated"

    async def _live_stream(self, head: Document, writing: Writing, *, usage_sent: bool) -> AsyncIterator[bytes]:
        """The chunks of replies that are being written; those of several replies come as they are written."""
        head = {**head, "object": "chat.completion.chunk"}
        beside: Document = {"usage": None} if usage_sent else {}

        def chunk(place: int, delta: Document, finish: str | None = None) -> bytes:
            choice = {"index": place, "delta": delta, "logprobs": None, "finish_reason": finish}
            return _sent({**head, "choices": [choice], **beside})

        begun: set[int] = set()
        async for place, piece in writing.pieces():
            if place not in begun:
                begun.add(place)
                yield chunk(place, {"role": "assistant", "content": "", "refusal": None})
            yield chunk(place, {"content": piece})
        answers = await writing.answers()
        for place, answer in enumerate(answers.replies):
            if place not in begun:
                yield chunk(place, {"role": "assistant", "content": "", "refusal": None})
            yield chunk(place, {}, answer.finish)
        if usage_sent:
            yield _sent({**head, "choices": [], "usage": _usage(answers.prompt_tokens, answers.replies)})
        yield b"data: [DONE]\n\n"

    async def _chat_stream(
        self,
        head: Document,
        answers: Sequence[Answer],
        calls: Sequence[Sequence[Document]],
        usage: Document | None,
        *,
        reasons: bool,
    ) -> AsyncIterator[bytes]:
        head = {**head, "object": "chat.completion.chunk"}

        def chunk(place: int, delta: Document, finish: str | None = None) -> bytes:
            choice = {"index": place, "delta": delta, "logprobs": None, "finish_reason": finish}
            return _sent({**head, "choices": [choice], **({"usage": None} if usage else {})})

        for place, (answer, made) in enumerate(zip(answers, calls, strict=True)):
            yield chunk(place, {"role": "assistant", "content": "", "refusal": None})
            if reasons:
                yield chunk(place, {"reasoning_content": REASONING})
            for piece in pieces(answer.text):
                await self._asking.pause()
                yield chunk(place, {"content": piece})
            for number, call in enumerate(made):
                function = call["function"]
                begun = {**call, "function": {**function, "arguments": ""}}
                yield chunk(place, {"tool_calls": [{"index": number, **begun}]})
                for piece in pieces(function["arguments"]):
                    await self._asking.pause()
                    yield chunk(place, {"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
            yield chunk(place, {}, "tool_calls" if made else answer.finish)
        if usage:
            yield _sent({**head, "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    async def _text_stream(
        self, head: Document, answers: Sequence[Answer], usage: Document | None
    ) -> AsyncIterator[bytes]:
        beside: Document = {"usage": None} if usage else {}
        for place, answer in enumerate(answers):
            for piece in pieces(answer.text):
                await self._asking.pause()
                choice = {"index": place, "text": piece, "logprobs": None, "finish_reason": None}
                yield _sent({**head, "choices": [choice], **beside})
            last = {"index": place, "text": "", "logprobs": None, "finish_reason": answer.finish}
            yield _sent({**head, "choices": [last], **beside})
        if usage:
            yield _sent({**head, "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"


def _prompts(body: Document) -> list[str]:
    """The prompts: a text, or a list of them. Raises ApiError: 400, 501 for lists of tokens."""
    given = body.get("prompt")
    prompts = [given] if isinstance(given, str) else given
    if not isinstance(prompts, list) or not prompts or len(prompts) > _MOST_PROMPTS:
        raise invalid(f"Invalid 'prompt': expected a text, or a list of 1 to {_MOST_PROMPTS}.", param="prompt")
    if not all(isinstance(prompt, str) for prompt in prompts):
        raise not_imitated("prompt as tokens", param="prompt")
    return prompts


def _sent(document: Document) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def _head(prefix: str, kind: str, model: AskedModel, fingerprint: str) -> Document:
    return {
        "id": f"{prefix}{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model.model_id,
        "system_fingerprint": fingerprint,
    }


def _usage(prompt: int, answers: Sequence[Answer]) -> Document:
    said = sum(answer.tokens for answer in answers)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
