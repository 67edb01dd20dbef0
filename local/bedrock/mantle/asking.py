"""What the three inference APIs have in common: the model that is asked, the limits, the time an answer takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from local.bedrock.answers import Answers, Asked
from local.bedrock.engine import Engine
from local.bedrock.errors import ApiError, invalid, not_imitated, unknown_parameter
from local.bedrock.mantle.fields import stops_of
from local.bedrock.mantle.writing import Writing
from local.bedrock.models import AskedModel
from local.bedrock.quota import TokenQuota
from local.bedrock.records import Document
from local.bedrock.service import Service

_MOST_ANSWERS = 128  # OpenAI's limit of `n`
_LONGEST_ANSWER = 4096  # tokens counted against the quota where a request sets no limit
# What a chat message may have; tool calls are kept as part of the conversation.
_MESSAGE_FIELDS = {
    "role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call", "annotations", "audio",
    "reasoning", "reasoning_content",
}  # fmt: skip
_NOT_IMITATED_PARTS = ("image_url", "input_audio", "file", "input_image", "input_file", "video_url")


class Asking:
    """Asks the models for the routes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._quota = TokenQuota()

    def model(self, body: Document) -> AskedModel:
        """The model that a request names. Raises ApiError: 400, or 404 for one that is not there."""
        name = body.get("model")
        if not isinstance(name, str) or not name:
            raise invalid("Missing required parameter: 'model'.", param="model")
        found = self._service.models.find(name)
        if found is None or found.base.tuned_by == "native":
            message = f"The model '{name}' does not exist or you do not have access to it."
            raise ApiError(404, "model_not_found", message, param="model")
        return found

    @property
    def engine(self) -> Engine:
        """What answers."""
        return self._service.engine

    async def answers(
        self,
        model: AskedModel,
        messages: Sequence[Document],
        body: Document,
        *,
        max_tokens: int | None,
        tools: Sequence[Document] = (),
    ) -> Answers:
        """The replies to a prompt, by the request's `n`, `temperature`, `top_p`, `seed` and `stop`.

        Raises ApiError (400, 429).
        """
        asked = self._checked(messages, body, max_tokens=max_tokens, tools=tools)
        if self._service.switches.inference_seconds:
            await asyncio.sleep(self._service.switches.inference_seconds)
        return await self.engine.answers(model.ref, messages, asked)

    async def writing(
        self, model: AskedModel, messages: Sequence[Document], body: Document, *, max_tokens: int | None
    ) -> Writing:
        """The same while they are being written; the first piece is there. Raises ApiError as `answers` does."""
        asked = self._checked(messages, body, max_tokens=max_tokens)
        writing = Writing(lambda on_piece: self.engine.answers(model.ref, messages, asked, on_piece))
        await writing.begin()
        return writing

    def _checked(
        self,
        messages: Sequence[Document],
        body: Document,
        *,
        max_tokens: int | None,
        tools: Sequence[Document] = (),
    ) -> Asked:
        count = whole(body, "n", least=1, most=_MOST_ANSWERS) or 1
        asked = Asked(
            count=count,
            temperature=number(body, "temperature", least=0, most=2, default=1.0),
            top_p=number(body, "top_p", least=0, most=1, default=1.0),
            seed=whole(body, "seed", least=-(2**63), most=2**63 - 1),
            max_tokens=max_tokens,
            stops=stops_of(body),
            tools=tools,
        )
        tokens = self.engine.prompt_tokens(messages) + count * (max_tokens or _LONGEST_ANSWER)
        self._quota.take(tokens, tokens_per_minute=self._service.switches.tokens_per_minute)
        return asked

    async def pause(self) -> None:
        """The time between two pieces of a streamed answer."""
        await asyncio.sleep(self._service.switches.stream_piece_seconds)


def whole(body: Document, name: str, *, least: int, most: int) -> int | None:
    """A whole number of the request, or None where it is not set. Raises ApiError (400)."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise invalid(f"Invalid '{name}': expected a whole number from {least} to {most}, got {value!r}.", param=name)
    return value


def number(body: Document, name: str, *, least: float, most: float, default: float) -> float:
    """A number of the request. Raises ApiError (400)."""
    value: Any = body.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise invalid(f"Invalid '{name}': expected a number from {least} to {most}, got {value!r}.", param=name)
    return float(value)


def check_messages(messages: Any, *, roles: Sequence[str], param: str) -> list[Document]:
    """The messages of a request. Raises ApiError: 400 that names the first that is none, 501 for images."""
    if not isinstance(messages, list) or not messages:
        raise invalid(f"Invalid '{param}': expected a list with at least one message.", param=param)
    for place, message in enumerate(messages):
        where = f"{param}[{place}]"
        if not isinstance(message, dict) or message.get("role") not in roles:
            raise invalid(f"Invalid '{where}.role': expected one of {', '.join(roles)}.", param=param)
        for name in message:
            if name not in _MESSAGE_FIELDS:
                raise unknown_parameter(f"{where}.{name[:100]}")
        _check_content(message, where, param)
    return messages


def part_text(part: Any, where: str, kinds: Sequence[str]) -> str:
    """The text of a part of a message. Raises ApiError: 400 for what is no part, 501 for images."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in _NOT_IMITATED_PARTS:
        raise not_imitated(f"{where}.type '{kind}'", param=where)
    text = part.get("refusal" if kind == "refusal" else "text") if isinstance(part, dict) else None
    if kind not in kinds or not isinstance(text, str):
        raise invalid(f"Invalid '{where}': expected a part of type {', '.join(kinds)} with a text.", param=where)
    return text


def _check_content(message: Document, where: str, param: str) -> None:
    content = message.get("content")
    if isinstance(content, str) or (content is None and message["role"] == "assistant"):
        return
    if not isinstance(content, list):
        raise invalid(f"Invalid '{where}.content': expected a text or a list of parts.", param=param)
    for place, part in enumerate(content):
        part_text(part, f"{where}.content[{place}]", ("text", "refusal"))
