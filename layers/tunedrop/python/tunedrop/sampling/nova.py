"""Asking Amazon Nova: by Bedrock's Converse, many questions at once on threads, since boto3 waits for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from pydantic import Field

from tunedrop.answer_members import AnswerBroken
from tunedrop.graders.sample import JSON
from tunedrop.graders.turn import thoughts_beside
from tunedrop.sampling.converse_turns import tools_of, turns_of
from tunedrop.sampling.question import Asking, NotAllowed, NotAnswered, Question, Reply, Throttled, text_with_calls
from tunedrop.service_answers import Answer, OptionalCount, OptionalText, read
from tunedrop.service_faults import BROKEN_ANSWERS

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

    from tunedrop.settings import Settings

THREADS = 128
"""Most questions under way at once: the most that a recipe may ask for (`evaluation.in_flight`)."""

TIMEOUT_SECONDS = 120
"""How long one answer may take before it is given up."""

_REFUSALS = frozenset({"ValidationException", "ResourceNotFoundException"})
_BUSY = frozenset({"ThrottlingException", "ServiceUnavailableException", "ModelNotReadyException"})

_REDACTED = "[REDACTED]"
# The words of the OpenAI-compatible API, which the evaluation counts by.
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}


class NovaSampler:
    """`Sampler` by Converse. It knows no seed: what is asked twice may be answered in two ways."""

    def __init__(self, client: BedrockRuntimeClient) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="converse")

    @classmethod
    def from_settings(cls, settings: Settings) -> NovaSampler:
        """A sampler with a client of its own."""
        config = Config(
            retries={"total_max_attempts": 1},
            max_pool_connections=THREADS,
            read_timeout=TIMEOUT_SECONDS,
        )
        return cls(boto3.client("bedrock-runtime", region_name=settings.region, config=config))

    async def ask(self, asking: Asking, question: Question) -> Reply:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._converse, asking, question)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _converse(self, asking: Asking, question: Question) -> Reply:
        started = time.monotonic()
        system, messages = turns_of(question.messages)
        request: dict[str, Any] = _thinking(asking)
        if system:
            request["system"] = system
        if tools := tools_of(question.tools, messages):
            request["toolConfig"] = {"tools": tools}
        try:
            answer = self._client.converse(
                modelId=asking.model,
                messages=messages,
                **request,
            )
            told = read(_Converse, answer, "Converse")
        except ParamValidationError as refusal:
            return Reply("", refused=str(refusal)[:200])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _REFUSALS:
                return Reply("", refused=code)
            if code == "AccessDeniedException":
                raise NotAllowed(asking.model, str(error)) from error
            raise (Throttled if code in _BUSY else NotAnswered)(f"{asking.model}: {code}") from error
        except AnswerBroken as error:
            raise NotAnswered(f"{asking.model}: an answer that cannot be read: {error}") from error
        except BROKEN_ANSWERS as error:
            raise NotAnswered(f"{asking.model}: {type(error).__name__}") from error
        stop = told.stop or ""
        content = told.output.message.content
        return Reply(
            text=text_with_calls("".join(block.text or "" for block in content), {"content": _calls(content)}),
            thought="\n".join(filter(None, (block.thought for block in content))),
            finish_reason=_FINISH.get(stop, stop) or None,
            prompt_tokens=told.usage.prompt if told.usage else None,
            completion_tokens=told.usage.completion if told.usage else None,
            latency_seconds=time.monotonic() - started,
        )


def _thinking(asking: Asking) -> dict[str, Any]:
    """How long the answer may be, how it is drawn, and how much the model thinks: off, unless it is asked to.

    At the effort `high`, Nova takes no temperature (the user guide of Nova 2 on extended thinking), and no maxTokens:
    two public clients leave it out, no page of AWS's that we saw says so (UNCONFIRMED).
    """
    request: dict[str, Any] = {}
    if asking.reasoning_effort:
        config = {"type": "enabled", "maxReasoningEffort": asking.reasoning_effort}
        request["additionalModelRequestFields"] = {"reasoningConfig": config}
    if asking.reasoning_effort != "high":
        request["inferenceConfig"] = {"maxTokens": asking.max_tokens, "temperature": asking.temperature}
    return request


class _Block(Answer):
    text: str | None = None
    tool_use: dict[str, Any] | None = Field(None, alias="toolUse")
    reasoning: Any = Field(None, alias="reasoningContent")

    @property
    def thought(self) -> str:
        """What the block shows of the model's thoughts; Nova 2 Lite shows nothing of them."""
        shown = "\n".join(thoughts_beside({"reasoningContent": self.reasoning}))
        return "" if shown == _REDACTED else shown


def _calls(blocks: Sequence[_Block]) -> list[JSON]:
    return [{"toolUse": block.tool_use} for block in blocks if block.tool_use is not None]


class _Message(Answer):
    content: list[_Block]


class _Output(Answer):
    message: _Message


class _Usage(Answer):
    prompt: OptionalCount = Field(None, alias="inputTokens")
    completion: OptionalCount = Field(None, alias="outputTokens")


class _Converse(Answer):
    output: _Output
    usage: _Usage | None = None
    stop: OptionalText = Field(None, alias="stopReason")
