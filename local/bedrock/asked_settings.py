"""With which settings models were asked and trained: the fields of requests that hold no text of anybody's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from starlette.requests import Request

from local.bedrock.records import Document

_ACTIONS = frozenset(
    {
        "CreateInference",
        "InvokeModel",
        "InvokeModelWithResponseStream",
        "CreateFineTuningJob",
        "CreateModelCustomizationJob",
    }
)
_SETTINGS = (
    "model",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "temperature",
    "reasoning_effort",
    "reasoning",
    "reasoningConfig",
    "inferenceConfig",
    "additionalModelRequestFields",
    "baseModelIdentifier",
)
_HYPERPARAMETERS = (
    ("method", "reinforcement", "hyperparameters"),
    ("customizationConfig", "rftConfig", "hyperParameters"),
)
_MOST_KINDS = 1000


class AskedSettings:
    """Counts requests of the same action with the same settings. Memory is bounded: later kinds are not noted."""

    def __init__(self) -> None:
        self._times: Counter[bytes] = Counter()

    async def note(self, request: Request, action: str) -> None:
        """Count a request to ask or train a model; any other is passed over."""
        if action not in _ACTIONS:
            return
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return
        if not isinstance(body, dict):
            return
        told = {name: body[name] for name in _SETTINGS if body.get(name) is not None}
        if "model_id" in request.path_params:
            told["model"] = request.path_params["model_id"]
        for path in _HYPERPARAMETERS:
            if (found := _at(body, path)) is not None:
                told["hyperparameters"] = found
        key = orjson.dumps({"action": action, **told}, option=orjson.OPT_SORT_KEYS)
        if key in self._times or len(self._times) < _MOST_KINDS:
            self._times[key] += 1

    def shown(self) -> list[Document]:
        """Each kind of request: its action, its settings, and how many `times` it came."""
        return [{**orjson.loads(key), "times": times} for key, times in self._times.items()]

    def clear(self) -> None:
        """Forget every request."""
        self._times.clear()


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body
