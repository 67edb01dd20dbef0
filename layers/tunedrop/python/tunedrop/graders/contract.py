"""The service's grader contract: a batch of rollouts in, one documented answer for each out.

AWS's material shows the batch in three variants, and which one the service sends is UNCONFIRMED, so all are read:

- A, the documentation: `reference_answer` and the row's other fields under `metadata`;
- B, the open-weight sample: `reference_answer` at the top level, a string wrapped as `{"text": "<string>"}`;
- C, the Nova guide: the training row as it is, with `id` and the answer turn added.

The answer is the documented one: an array with `id`, `aggregate_reward_score` and `metrics_list` for each element, in
order, and nothing else unless explanations were asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunedrop.graders.sample import JSON, MOST_PARTS, Grade, Sample
from tunedrop.graders.thoughts import cut_thoughts
from tunedrop.graders.tool_calls import calls_beside, text_of_calls
from tunedrop.graders.turn import TurnError, text_of, thoughts_beside

ANSWER_ROLES = ("assistant", "nova_assistant")
_NOT_ROW_FIELDS = frozenset({"id", "messages", "metadata", "reference_answer"})


class BatchError(ValueError):
    """The event is not a batch in any of the documented variants: nothing in it can be answered."""


class SampleError(ValueError):
    """One element of the batch is not a rollout that can be graded."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One element of the batch: its id as it came, and the sample, or why there is none."""

    id: JSON
    sample: Sample | None
    fault: str = ""


def parse_batch(event: object) -> list[Rollout]:
    """The rollouts of an event, in order; an element that cannot be read keeps its place, with its fault.

    Takes the bare array, the wrapper `{"trajectories": […]}`, or a single rollout. Raises BatchError for the rest.
    """
    if isinstance(event, Mapping):
        if isinstance(event.get("trajectories"), list):
            event = event["trajectories"]
        elif "messages" in event:
            event = [event]
    if not isinstance(event, list):
        raise BatchError(
            "The event is not a batch: expected a JSON array of objects with `id` and `messages`, "
            f"got {_kind_of(event)}. Invoke the grader with the array itself."
        )
    return [_rollout(element, position) for position, element in enumerate(event)]


def _rollout(element: object, position: int) -> Rollout:
    echoed: JSON = str(position)
    if isinstance(element, Mapping):
        metadata = element.get("metadata")
        places = [element, metadata] if isinstance(metadata, Mapping) else [element]
        echoed = next(
            (place[key] for key in ("id", "task_id") for place in places if place.get(key) is not None), echoed
        )
    try:
        return Rollout(echoed, read_sample(element, str(echoed)))
    except SampleError as fault:
        return Rollout(echoed, None, str(fault))


def read_sample(element: object, sample_id: str) -> Sample:
    """One element of the batch (variant A, B or C) as a Sample. Raises SampleError, without any text of the row."""
    if not isinstance(element, Mapping):
        raise SampleError(f"expected an object with `id` and `messages`, got {_kind_of(element)}")
    messages = element.get("messages")
    if not isinstance(messages, list) or not messages:
        raise SampleError(f"`messages` must be an array with at least the answer turn, got {_kind_of(messages)}")
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise SampleError(f"`messages[{number}]` must be an object, got {_kind_of(message)}")
    last = messages[-1]
    if last.get("role") not in ANSWER_ROLES:
        raise SampleError("the last of `messages` must be the model's answer, of role assistant or nova_assistant")
    metadata = element.get("metadata")
    inner = metadata if isinstance(metadata, Mapping) else {}
    row = {key: value for key, value in element.items() if key not in _NOT_ROW_FIELDS}
    row.update((key, value) for key, value in inner.items() if key != "reference_answer")
    reference = inner.get("reference_answer")
    if reference is None:
        reference = element.get("reference_answer")
    return _sample_of(sample_id, messages, unwrap(reference), row)


def _sample_of(
    sample_id: str, messages: Sequence[Mapping[str, JSON]], reference: JSON, row: Mapping[str, JSON]
) -> Sample:
    last = messages[-1]
    try:
        whole = text_of(last.get("content"))
    except TurnError as error:
        raise SampleError(str(error)) from None
    refusal = last.get("refusal")
    if not whole and isinstance(refusal, str):
        whole = refusal
    cut = cut_thoughts(whole)
    thoughts = [*thoughts_beside(last), *([] if cut.thought is None else [cut.thought])]
    calls = (*cut.calls, *calls_beside(last))
    return Sample(
        sample_id,
        messages[:-1],
        cut.answer if cut.answer.strip() else text_of_calls(calls),
        reference,
        row,
        None if cut.answer == whole else whole,
        sum(map(len, thoughts)) if thoughts else None,
        cut.unfinished,
        calls,
    )


def unwrap(reference: JSON) -> JSON:
    """The reference without the wrapper `{"text": …}` that the open-weight path puts around strings."""
    if isinstance(reference, Mapping) and set(reference) == {"text"}:
        return reference["text"]
    return reference


def answer(sample_id: JSON, grade: Grade, *, explain: bool = False) -> dict[str, Any]:
    """The documented answer for one grade: the reward within 0 to 1, every metric finite.

    Raises ValueError where the reward or a metric is not a finite number.
    """
    metrics = [_metric(name, value, "Reward") for name, value in grade.components.items()]
    if grade.correct is not None and "accuracy" not in grade.components:
        metrics.insert(0, _metric("accuracy", 1.0 if grade.correct else 0.0, "Metric"))
    metrics += [_metric(name, value, "Metric") for name, value in grade.metrics.items()]
    told: dict[str, Any] = {
        "id": sample_id,
        "aggregate_reward_score": min(1.0, max(0.0, _finite("the reward", grade.reward))),
        "metrics_list": metrics,
    }
    if explain:
        told["explanation"] = grade.explanation
        if grade.parts:
            told["parts"] = [list(part) for part in grade.parts[:MOST_PARTS]]
    return told


def answer_ungraded(
    sample_id: JSON, reason: str, *, timeout: bool = False, refused: bool = False, explain: bool = False
) -> dict[str, Any]:
    """The answer for a sample that could not be graded: 0.0, marked so that nobody takes it for a wrong answer."""
    named = {"grader_error": True, "grader_timeout": timeout, "grader_refused": refused}
    metrics = [_metric(name, 1.0, "Metric") for name, holds in named.items() if holds]
    told: dict[str, Any] = {"id": sample_id, "aggregate_reward_score": 0.0, "metrics_list": metrics}
    if explain:
        told["explanation"] = reason
    return told


def is_ungraded(told: Mapping[str, Any]) -> bool:
    """Whether an answer says that its sample could not be graded."""
    return any(metric["name"] == "grader_error" for metric in told["metrics_list"])


def _metric(name: str, value: float, kind: str) -> dict[str, Any]:
    return {"name": name, "value": _finite(name, value), "type": kind}


def _finite(name: str, value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}, expected a finite number")
    return number


def _kind_of(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Sequence):
        return f"an array of {len(value)}"
    return f"a {type(value).__name__}"
