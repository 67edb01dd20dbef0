"""Asking a model on Bedrock for a judgement: temperature 0, retries within a deadline, the reply read strictly."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from tunedrop.answer_members import AnswerBroken
from tunedrop.bedrock_key import bedrock_key
from tunedrop.catalog import mantle_base_url
from tunedrop.graders.json_answer import NotOneDocument
from tunedrop.graders.thoughts import cut_thoughts
from tunedrop.settings import BEDROCK_AUTH, BEDROCK_PROJECT, SIGNED, project_of

DEFAULT_MODEL = "openai.gpt-oss-120b"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_SHORTEST_TRY = 1.0
"""Seconds: with less than this left, another try is not worth its tokens."""

Message = Mapping[str, str]
Judgement = TypeVar("Judgement")


class JudgeFailed(RuntimeError):
    """The judge gave no usable judgement in time; nothing is known about the answer."""


class TryAgain(Exception):
    """The model could not be asked this time: throttled, unreachable, or an error of the service."""


class Complete(Protocol):
    """One chat completion: the text of the reply. Raises TryAgain, JudgeFailed where asking again is useless."""

    def __call__(
        self, messages: Sequence[Message], *, model: str, seconds: float, temperature: float, seed: int | None
    ) -> str: ...


class JudgeModel:
    """A model that judges. `seconds` is the deadline of one judgement with all its tries."""

    def __init__(
        self, model: str = DEFAULT_MODEL, *, seconds: float = 60.0, tries: int = 4, complete: Complete | None = None
    ) -> None:
        self._model = model
        self._seconds = seconds
        self._tries = tries
        self._complete = complete or BedrockChat()

    def ask(
        self,
        messages: Sequence[Message],
        read: Callable[[str], Judgement],
        *,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> Judgement:
        """The judgement that `read` takes from the reply; a reply that it refuses (NotOneDocument) is asked for again.

        Raises JudgeFailed when the tries or the time are used up.
        """
        end = time.monotonic() + self._seconds
        trouble = "no time was left"
        for number in range(self._tries):
            left = end - time.monotonic()
            if left < _SHORTEST_TRY:
                break
            try:
                reply = self._complete(messages, model=self._model, seconds=left, temperature=temperature, seed=seed)
                return read(reply)
            except NotOneDocument as error:
                trouble = f"its reply does not have the requested form: {error}"
            except TryAgain as error:
                trouble = str(error)
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**number) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
                if number + 1 < self._tries:
                    time.sleep(max(0.0, min(pause, end - time.monotonic())))
        raise JudgeFailed(f"the judge {self._model} gave no judgement: {trouble}")

    def get_ready(self) -> None:
        """Open the client, where there is one, before the first sample's time runs."""
        if isinstance(self._complete, BedrockChat):
            self._complete.open()


class BedrockChat:
    """Chat completions of Bedrock's OpenAI-compatible endpoint, with the stack's key, or a short-term one.

    The endpoint is `MANTLE_BASE_URL`, or the Region's own; the secret with the key is `BEDROCK_API_KEY_SECRET`, empty
    where the stack has none. The SDK is loaded when this is made, so that forked
    workers have it already; the client, with its connections, is one process' own, for all its judges.
    """

    _MAX_TOKENS = 2048
    """Of a reply with its reasoning; Bedrock counts this against the quota before the reply is made."""

    def __init__(self) -> None:
        from tunedrop.openai_sdk import openai

        if os.environ.get(BEDROCK_AUTH) == SIGNED:
            import tunedrop.signed_client  # noqa: F401 (for the workers, as above)
        else:
            import aws_bedrock_token_generator  # noqa: F401 (for the workers, as above)

        self._openai = openai

    def open(self) -> Any:
        """The client of this process, made once."""
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
        secret = os.environ.get("BEDROCK_API_KEY_SECRET", "")
        base_url = mantle_base_url(region, os.environ.get("MANTLE_BASE_URL", ""))
        return _client(os.getpid(), region, base_url, secret, os.environ.get(BEDROCK_AUTH) == SIGNED)

    def __call__(
        self, messages: Sequence[Message], *, model: str, seconds: float, temperature: float, seed: int | None
    ) -> str:
        """Ask once. Raises TryAgain for 408, 409, 429, 5xx and the network, JudgeFailed for other refusals.

        A key that the service refuses (401) is read anew for the next try: it may have been replaced.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        client = self.open()
        extra = {} if seed is None else {"seed": seed}
        try:
            answer = client.chat.completions.with_raw_response.create(
                model=model,
                messages=[dict(message) for message in messages],
                temperature=temperature,
                max_completion_tokens=self._MAX_TOKENS,
                timeout=seconds,
                **extra,
            )
            completion = answer.http_response.json()
        except (ClientError, BotoCoreError, AnswerBroken) as error:
            raise _key_trouble(error) from None
        except self._openai.APIConnectionError as error:  # a timeout is one, too
            raise TryAgain(f"it could not be reached: {type(error).__name__}") from None
        except self._openai.APIStatusError as error:
            told = f"Bedrock answered {error.status_code} ({error.code or 'no code'})"
            if error.status_code == 401 and os.environ.get("BEDROCK_API_KEY_SECRET"):
                _KEYS.forget()
                raise TryAgain(told) from None
            if error.status_code in (408, 409, 429) or error.status_code >= 500:
                raise TryAgain(told) from None
            raise JudgeFailed(f"the judge {model} cannot be asked: {told}") from None
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise TryAgain(f"its answer was not a completion ({type(error).__name__})") from None
        finished, text = _first_choice(completion)
        if finished == "length":
            raise NotOneDocument(f"it did not end within {self._MAX_TOKENS:,} tokens")
        return cut_thoughts(text).answer


def _first_choice(completion: object) -> tuple[str | None, str]:
    """Why the first choice of a chat completion ended, and its text. Raises TryAgain where it is none.

    By hand: the graders' functions do without pydantic, whose import would take longer than most batches.
    """
    choices = completion.get("choices") if isinstance(completion, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    text = message.get("content") if isinstance(message, Mapping) else 0
    if not isinstance(choice, Mapping) or not isinstance(text, (str, type(None))):
        raise TryAgain("its answer was not a completion (no text in `choices[0].message.content`)")
    finished = choice.get("finish_reason")
    return (finished if isinstance(finished, str) else None), text or ""


def _key_trouble(error: Exception) -> TryAgain | JudgeFailed:
    """What a key that cannot be had means: a passing fault, or a refusal that asking again does not change."""
    answer: Mapping[str, Any] = getattr(error, "response", {})
    code = answer.get("Error", {}).get("Code", type(error).__name__)
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    told = f"the Bedrock API key could not be read: {code}"
    if not answer or status >= 500 or "Throttl" in code:
        return TryAgain(told)
    return JudgeFailed(f"{told}; the judge's role must be allowed to read the secret that BedrockApiKeySecret names")


class _KeptKeys:
    """The key of a secret, kept for a minute: a batch asks hundreds of times. Short-term keys are made each time."""

    SECONDS = 60.0

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, str]] = {}

    def get(self, region: str, secret: str) -> str:
        given = os.environ.get("OPENAI_API_KEY", "")
        if given and not secret:  # on one machine, where the endpoint is the user's own
            return given
        now = time.monotonic()
        began, key = self._kept.get(secret, (now - self.SECONDS, ""))
        if not secret or now - began >= self.SECONDS:
            key = bedrock_key(region, secret)
            self._kept[secret] = (now, key)
        return key

    def forget(self) -> None:
        self._kept.clear()


_KEYS = _KeptKeys()


@lru_cache(maxsize=2)
def _client(_: int, region: str, base_url: str, secret: str, signs: bool) -> Any:
    """The client of the process with this id: a forked child must not use its parent's connections."""
    project = project_of(os.environ.get(BEDROCK_PROJECT, ""))
    # No retries: JudgeModel counts the tries and knows the deadline.
    if signs:
        from tunedrop.signed_client import signed

        return signed(region, base_url, project=project, max_retries=0)
    from tunedrop.openai_sdk import openai

    key = lambda: _KEYS.get(region, secret)  # noqa: E731
    return openai.OpenAI(base_url=base_url, api_key=key, project=project, max_retries=0)
