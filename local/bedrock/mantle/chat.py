"""POST /v1/chat/completions and /v1/completions, streamed or not."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.errors import ApiError, invalid
from local.bedrock.http import JsonResponse, json_body, server_sent
from local.bedrock.mantle.asking import Asking, check_messages, pieces, whole
from local.bedrock.models import AskedModel
from local.bedrock.records import Document
from local.bedrock.service import Service
from local.bedrock.simulated_model import REASONING, Answer, prompt_tokens

_ROLES = ("system", "developer", "user", "assistant", "tool")
_MOST_TOKENS = 2**31 - 1
FINGERPRINT = "simulated"


class Chat:
    """The routes' handlers."""

    def __init__(self, service: Service, asking: Asking) -> None:
        self._service = service
        self._asking = asking

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions"""
        body = await json_body(request)
        model = self._asking.model(body)
        messages = check_messages(body.get("messages"), roles=_ROLES, param="messages")
        newer = whole(body, "max_completion_tokens", least=1, most=_MOST_TOKENS)
        older = whole(body, "max_tokens", least=1, most=_MOST_TOKENS)
        answers = await self._asking.answers(model, messages, body, max_tokens=newer or older)
        head = _head("chatcmpl-", "chat.completion", model)
        usage = _usage(prompt_tokens(messages), answers)
        reasons = model.base.reasons and self._service.switches.chat_reasoning == "field"
        if body.get("stream"):
            with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
            return server_sent(self._chat_stream(head, answers, usage if with_usage else None, reasons=reasons))
        choices = [
            {
                "index": place,
                "message": {
                    "role": "assistant",
                    "content": answer.text,
                    "refusal": None,
                    **({"reasoning_content": REASONING} if reasons else {}),
                },
                "logprobs": None,
                "finish_reason": answer.finish,
            }
            for place, answer in enumerate(answers)
        ]
        return JsonResponse({**head, "choices": choices, "usage": usage})

    async def complete_text(self, request: Request) -> Response:
        """POST /v1/completions; the prompt is taken as one user message"""
        if not self._service.switches.completions:
            raise ApiError(404, "not_found", f"No such route: {request.url.path}")
        body = await json_body(request)
        model = self._asking.model(body)
        prompt = body.get("prompt")
        if not isinstance(prompt, str):
            raise invalid("Invalid 'prompt': expected a text.", param="prompt")
        messages: list[Document] = [{"role": "user", "content": prompt}]
        max_tokens = whole(body, "max_tokens", least=1, most=_MOST_TOKENS)
        answers = await self._asking.answers(model, messages, body, max_tokens=max_tokens)
        head = _head("cmpl-", "text_completion", model)
        if body.get("stream"):
            return server_sent(self._text_stream(head, answers))
        choices = [
            {"index": place, "text": answer.text, "logprobs": None, "finish_reason": answer.finish}
            for place, answer in enumerate(answers)
        ]
        return JsonResponse({**head, "choices": choices, "usage": _usage(prompt_tokens(messages), answers)})

    async def _chat_stream(
        self, head: Document, answers: Sequence[Answer], usage: Document | None, *, reasons: bool
    ) -> AsyncIterator[bytes]:
        head = {**head, "object": "chat.completion.chunk"}

        def chunk(place: int, delta: Document, finish: str | None = None) -> bytes:
            choice = {"index": place, "delta": delta, "logprobs": None, "finish_reason": finish}
            return _sent({**head, "choices": [choice], **({"usage": None} if usage else {})})

        for place, answer in enumerate(answers):
            yield chunk(place, {"role": "assistant", "content": "", "refusal": None})
            if reasons:
                yield chunk(place, {"reasoning_content": REASONING})
            for piece in pieces(answer.text):
                await self._asking.pause()
                yield chunk(place, {"content": piece})
            yield chunk(place, {}, answer.finish)
        if usage:
            yield _sent({**head, "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    async def _text_stream(self, head: Document, answers: Sequence[Answer]) -> AsyncIterator[bytes]:
        for place, answer in enumerate(answers):
            for piece in pieces(answer.text):
                await self._asking.pause()
                choice = {"index": place, "text": piece, "logprobs": None, "finish_reason": None}
                yield _sent({**head, "choices": [choice]})
            last = {"index": place, "text": "", "logprobs": None, "finish_reason": answer.finish}
            yield _sent({**head, "choices": [last]})
        yield b"data: [DONE]\n\n"


def _sent(document: Document) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def _head(prefix: str, kind: str, model: AskedModel) -> Document:
    return {
        "id": f"{prefix}{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model.model_id,
        "system_fingerprint": FINGERPRINT,
    }


def _usage(prompt: int, answers: Sequence[Answer]) -> Document:
    said = sum(answer.tokens for answer in answers)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
