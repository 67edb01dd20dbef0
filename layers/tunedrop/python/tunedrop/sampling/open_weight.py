"""Asking the models behind Bedrock's OpenAI-compatible endpoint."""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from tunedrop import mantle
from tunedrop.answer_members import AnswerBroken
from tunedrop.graders.turn import thoughts_beside
from tunedrop.openai_sdk import openai
from tunedrop.sampling.question import Asking, NotAllowed, NotAnswered, Question, Reply, Throttled, text_with_calls
from tunedrop.service_answers import Answer, OptionalCount, OptionalText, read
from tunedrop.settings import Settings

_REFUSALS = (
    openai.BadRequestError,
    openai.NotFoundError,
    openai.UnprocessableEntityError,
)


class OpenWeightSampler:
    """`Sampler` by chat completions."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self._client = client
        self._seeds = True

    @classmethod
    def from_settings(cls, settings: Settings) -> OpenWeightSampler:
        """A sampler with a short-term key of its own."""
        return cls(mantle.async_client(settings, retries=0))

    async def ask(self, asking: Asking, question: Question) -> Reply:
        started = time.monotonic()
        try:
            answer = await self._complete(asking, question)
            told = read(_Completion, answer.http_response.json(), "a chat completion")
        except _REFUSALS as refusal:
            return Reply("", refused=f"HTTP {refusal.status_code} ({refusal.code or type(refusal).__name__})")
        except openai.RateLimitError as error:
            raise Throttled(f"{asking.model}: throttled", _after(error)) from error
        except openai.PermissionDeniedError as error:
            raise NotAllowed(asking.model, _words(error)) from error
        except openai.APIError as error:
            raise NotAnswered(f"{asking.model}: {type(error).__name__}") from error
        except AnswerBroken as error:
            raise NotAnswered(f"{asking.model}: an answer that cannot be read: {error}") from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise NotAnswered(f"{asking.model}: an answer that cannot be read ({type(error).__name__})") from error
        choice, usage = told.choices[0], told.usage or _Usage()
        return Reply(
            text=text_with_calls(choice.message.content or "", choice.message.calls),
            thought=choice.message.thought,
            finish_reason=choice.finish_reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            latency_seconds=time.monotonic() - started,
        )

    async def close(self) -> None:
        await self._client.close()

    async def _complete(self, asking: Asking, question: Question) -> Any:
        messages: Any = list(question.messages)
        more: Any = {"reasoning_effort": asking.reasoning_effort} if asking.reasoning_effort else {}
        if question.tools:
            more["tools"] = list(question.tools)
        if self._seeds:
            try:
                return await self._client.chat.completions.with_raw_response.create(
                    model=asking.model,
                    messages=messages,
                    max_tokens=asking.max_tokens,
                    temperature=asking.temperature,
                    seed=question.seed,
                    **more,
                )
            except openai.BadRequestError as refusal:
                # Whether the endpoint takes `seed` is UNCONFIRMED; without it the answers are as good, but not
                # repeatable.
                if refusal.param != "seed":
                    raise
                self._seeds = False
        return await self._client.chat.completions.with_raw_response.create(
            model=asking.model,
            messages=messages,
            max_tokens=asking.max_tokens,
            temperature=asking.temperature,
            **more,
        )


class _Message(Answer):
    content: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    reasoning_content: Any = None
    reasoning: Any = None

    @property
    def thought(self) -> str:
        """The thoughts, in whichever of the two fields: which one the endpoint uses is UNCONFIRMED."""
        shown = [{"reasoning_content": self.reasoning_content}, {"reasoning": self.reasoning}]
        return next((each for field in shown for each in thoughts_beside(field)), "")

    @property
    def calls(self) -> dict[str, Any]:
        """The fields of the turn that call tools."""
        return {"tool_calls": self.tool_calls, "function_call": self.function_call}


class _Choice(Answer):
    message: _Message
    finish_reason: OptionalText = None


class _Usage(Answer):
    prompt_tokens: OptionalCount = None
    completion_tokens: OptionalCount = None


class _Completion(Answer):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def _words(error: openai.PermissionDeniedError) -> str:
    """What the service says of a refusal, without the envelope where it has the usual one."""
    words = error.body.get("message") if isinstance(error.body, dict) else None
    return words if isinstance(words, str) else error.response.text or error.message


def _after(error: openai.RateLimitError) -> float | None:
    """The seconds of the answer's Retry-After; its other form, a date, is not worth a parser."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
