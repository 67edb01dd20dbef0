"""The fields of an inference request: those that are done, those that change no answer, those that are refused by name.

A field that is neither would be accepted and come to nothing, and a caller would take the answer for what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.bedrock.errors import invalid, not_imitated, unknown_parameter
from local.bedrock.records import Document
from local.bedrock.switches import Switches

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_LABELS = frozenset({"user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"})
_NO_CHOICE: Mapping[str, tuple[object, ...]] = {"tool_choice": ("none", "auto")}
_TIERS: Mapping[str, tuple[object, ...]] = {"service_tier": ("auto", "default")}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that a route's body may have; null is as good as leaving a field out."""

    done: frozenset[str]
    choices: Mapping[str, tuple[object, ...]]
    """What the simulated model takes and has no use for: it neither thinks nor writes at more or less length."""
    refused: Mapping[str, tuple[object, ...]]
    """What is not imitated, with the values that ask for nothing: those are let through."""
    labels: frozenset[str] = _LABELS
    """What names or keeps a request for its caller, and changes no answer."""

    def check(self, body: Document, switches: Switches) -> None:
        """Raises ApiError: 400 for a field that there is not, or a value that it cannot have; 501 for the refused."""
        for name, value in body.items():
            if name in self.done or name in self.labels:
                continue
            if name in self.choices:
                _check_choice(name, value, self.choices[name])
            elif name in self.refused:
                if value is not None and value not in self.refused[name]:
                    raise not_imitated(name)
            elif switches.unknown_parameters == "refuse":
                raise unknown_parameter(name)


CHAT = Fields(
    done=frozenset(
        {
            "model",
            "messages",
            "max_tokens",
            "max_completion_tokens",
            "n",
            "seed",
            "stop",
            "stream",
            "stream_options",
            "temperature",
            "tools",
            "top_p",
        }
    ),
    choices={
        "reasoning_effort": _EFFORTS,
        "verbosity": ("low", "medium", "high"),
        "parallel_tool_calls": (True, False),
    },
    refused={
        **_NO_CHOICE,
        **_TIERS,
        "functions": ([],),
        "function_call": ("none", "auto"),
        "response_format": ({"type": "text"},),
        "logprobs": (False,),
        "top_logprobs": (0,),
        "logit_bias": ({},),
        "frequency_penalty": (0,),
        "presence_penalty": (0,),
        "modalities": (["text"],),
        "audio": (),
        "prediction": (),
        "store": (False,),
        "moderation": (),
        "prompt_cache_options": (),
        "web_search_options": (),
    },
)

TEXT = Fields(
    done=frozenset(
        {"model", "prompt", "max_tokens", "n", "seed", "stop", "stream", "stream_options", "temperature", "top_p"}
    ),
    choices={},
    refused={
        "best_of": (1,),
        "echo": (False,),
        "logprobs": (),
        "logit_bias": ({},),
        "frequency_penalty": (0,),
        "presence_penalty": (0,),
        "suffix": ("",),
    },
)

RESPONSE = Fields(
    done=frozenset(
        {
            "model",
            "input",
            "instructions",
            "include",
            "max_output_tokens",
            "previous_response_id",
            "reasoning",
            "store",
            "stream",
            "stream_options",
            "temperature",
            "text",
            "tools",
            "top_p",
        }
    ),
    choices={"truncation": ("auto", "disabled"), "parallel_tool_calls": (True, False)},
    refused={
        **_NO_CHOICE,
        **_TIERS,
        "access_programs": ([],),
        "background": (False,),
        "context_management": ([],),
        "conversation": (),
        "image": (),
        "max_tool_calls": (),
        "moderation": (),
        "prompt": (),
        "prompt_cache_options": (),
        "top_logprobs": (0,),
    },
)

REASONING = Fields(
    done=frozenset(),
    labels=frozenset(),
    choices={"effort": _EFFORTS},
    refused={"summary": ("auto",), "generate_summary": ("auto",), "context": ("auto",), "mode": ()},
)
"""Of a response's `reasoning`. The simulated model's has no summary, as that of open-weight models has none."""


def flag(body: Document, name: str) -> bool:
    """A field that is true or false, false where it is not set. Raises ApiError (400)."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"Invalid '{name}': expected true or false, got {_shown(value)}.", param=name)
    return bool(value)


def with_usage(body: Document) -> bool:
    """Whether a stream is to end with its usage. Raises ApiError (400)."""
    options = body.get("stream_options")
    if options is None:
        return False
    if not flag(body, "stream"):
        raise invalid("'stream_options' is only allowed where 'stream' is true.", param="stream_options")
    if not isinstance(options, dict):
        raise invalid("Invalid 'stream_options': expected an object.", param="stream_options")
    for name in options:
        if name not in ("include_usage", "include_obfuscation"):
            raise unknown_parameter(f"stream_options.{name}")
    return flag(options, "include_usage")


def stops_of(body: Document) -> tuple[str, ...]:
    """The texts at which an answer ends: one, or a list of up to four. Raises ApiError (400)."""
    given = body.get("stop")
    if given is None:
        return ()
    stops = [given] if isinstance(given, str) else given
    if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(stop, str) and stop for stop in stops):
        raise invalid(f"Invalid 'stop': expected a text or up to 4 texts, got {_shown(given)}.", param="stop")
    return tuple(stops)


def _check_choice(name: str, value: Any, allowed: tuple[object, ...]) -> None:
    if value is not None and value not in allowed:
        told = ", ".join(str(choice).lower() for choice in allowed)
        raise invalid(f"Invalid '{name}': expected one of {told}, got {_shown(value)}.", param=name)


def _shown(value: object) -> str:
    return repr(value)[:100]
