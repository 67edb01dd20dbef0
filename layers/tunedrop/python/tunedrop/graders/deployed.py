"""Asking a deployed grader: the very version that scores the answers during training."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from tunedrop.graders.graded import Graded, Layout, Rollout
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.graders.sample import JSON, MOST_PARTS, PART_CHARACTERS, Part
from tunedrop.outcomes import ServiceBusy

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

BATCH_SAMPLES = 64
"""Most samples an invocation. The service's own number is not published; SageMaker's default is 64."""

BATCH_BYTES = 4 * 1024 * 1024
"""Most bytes an invocation, of Lambda's 6 MB for a synchronous request, so that the answer fits, too."""

LAYOUTS: tuple[Layout, ...] = get_args(Layout)

_EXPLAIN = base64.b64encode(b'{"custom":{"tunedrop_explain":"1"}}').decode()
_WHY: Mapping[str, str] = {
    "grader_timeout": "the grader ran out of time",
    "grader_refused": "the row does not name a grader that this function may run",
}
"""What a metric beside `grader_error` says."""
_BUSY = frozenset(
    {"TooManyRequestsException", "ServiceException", "EC2ThrottledException", "ResourceNotReadyException"}
)


class DeployedGrader:
    """A published version of a grader function. Rewards come back in the order of the rollouts."""

    def __init__(
        self, client: LambdaClient, arn: str, layout: Layout = "metadata", rewards: RewardRange = UNIT
    ) -> None:
        self._client = client
        self._arn = arn
        self._layout: Layout = layout
        self.rewards = rewards
        """Between which rewards the grader's lie; one outside is no reward."""
        self.timings: list[tuple[int, float]] = []
        """Samples and seconds of each invocation so far."""

    def grade(self, rollouts: Sequence[Rollout], *, batch_samples: int = BATCH_SAMPLES) -> list[Graded]:
        """Grade them all, `batch_samples` an invocation, or fewer where Lambda's payload allows no more.

        Raises:
            ServiceBusy: Lambda throttled; nothing is lost by grading again.
        """
        graded: list[Graded] = []
        for batch in _batches(rollouts, batch_samples, self._layout):
            started = time.monotonic()
            graded += self._grade_batch(batch)
            self.timings.append((len(batch), time.monotonic() - started))
        return graded

    def _grade_batch(self, batch: Sequence[tuple[Rollout, bytes]], *, again: bool = True) -> list[Graded]:
        from botocore.exceptions import ClientError

        payload = b"[" + b",".join(body for _, body in batch) + b"]"
        try:
            answer = self._client.invoke(FunctionName=self._arn, Payload=payload, ClientContext=_EXPLAIN)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _BUSY:
                raise ServiceBusy(f"the grader {self._arn} is throttled") from error
            raise
        payload_told = answer.get("Payload")
        body = b"" if payload_told is None else payload_told.read()
        if "FunctionError" not in answer:
            return _read(body, [rollout.id for rollout, _ in batch], self.rewards)
        reason = f"the grader failed on the batch: {_error_type(body)}"
        ungraded = [Graded(rollout.id, None, ungraded=reason) for rollout, _ in batch]
        if not again:
            return ungraded
        # A killed process, or one sample that takes the others down: a second try, in halves, tells.
        middle = len(batch) // 2
        halves = [half for half in (batch[:middle], batch[middle:]) if half]
        return [graded for half in halves for graded in self._grade_batch(half, again=len(half) > 1)]


def wire_form(rollout: Rollout, layout: Layout = "metadata") -> dict[str, JSON]:
    """A rollout as AWS documents it in this layout: the conversation with the answer, and the row's other fields."""
    row = rollout.row
    turn: dict[str, JSON] = {"role": "assistant", "content": rollout.answer}
    if rollout.thought:
        turn["reasoning_content"] = rollout.thought
    conversation: dict[str, JSON] = {
        "id": rollout.id,
        "messages": [*row["messages"], turn],
    }
    fields = {name: value for name, value in row.items() if name != "messages"}
    if layout == "metadata":
        return {**conversation, "metadata": fields}
    reference = fields.get("reference_answer")
    if layout == "wrapped" and isinstance(reference, str):
        fields["reference_answer"] = {"text": reference}
    return {**fields, **conversation}


def _batches(rollouts: Sequence[Rollout], most: int, layout: Layout) -> Iterator[list[tuple[Rollout, bytes]]]:
    batch: list[tuple[Rollout, bytes]] = []
    size = 0
    for rollout in rollouts:
        body = json.dumps(wire_form(rollout, layout)).encode()
        if batch and (len(batch) == most or size + len(body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((rollout, body))
        size += len(body) + 1
    if batch:
        yield batch


def _read(body: bytes, ids: Sequence[str], rewards: RewardRange) -> list[Graded]:
    """The contract's answer, matched by id; what does not keep the contract counts as ungraded, never as 0."""
    answers = _parsed(body)
    by_id: dict[str, Any] = {}
    if isinstance(answers, list):
        for each in answers:
            if isinstance(each, dict) and isinstance(each.get("id"), str):
                by_id[each["id"]] = each
    return [_graded(sample_id, by_id.get(sample_id), rewards) for sample_id in ids]


def _graded(sample_id: str, answer: Mapping[str, Any] | None, rewards: RewardRange) -> Graded:
    if answer is None:
        return Graded(sample_id, None, ungraded="the grader's answer does not name this sample")
    explanation = str(answer.get("explanation", ""))
    reward = _number(answer.get("aggregate_reward_score"))
    given = answer.get("metrics_list")
    listed = given if isinstance(given, list) else []
    metrics = {
        str(each["name"]): value
        for each in listed
        if isinstance(each, Mapping) and "name" in each and (value := _number(each.get("value"))) is not None
    }
    if metrics.get("grader_error"):
        whys = (why for name, why in _WHY.items() if metrics.get(name))
        what = next(whys, "the grader failed")
        return Graded(sample_id, None, components=metrics, ungraded=what, explanation=explanation)
    if reward is None:
        return Graded(sample_id, None, ungraded="the grader's score is not a finite number", explanation=explanation)
    if not rewards.holds(reward):
        outside = f"the reward is outside {rewards}, which the recipe's `grader.range` says"
        return Graded(sample_id, None, ungraded=outside, explanation=f"reward {reward:g}. {explanation}")
    accuracy = metrics.get("accuracy")
    correct = None if accuracy is None else accuracy >= 0.5
    return Graded(sample_id, reward, correct, metrics, explanation=explanation, parts=_parts(answer.get("parts")))


def _parts(given: object) -> tuple[Part, ...]:
    """The parts of a grade as they came: what is none of ours is passed over."""
    parts = []
    for each in given[:MOST_PARTS] if isinstance(given, list) else []:
        if isinstance(each, list) and len(each) == len(Part._fields):
            credit, cost = _number(each[1]), _number(each[2])
            name, expected, got = (str(text)[:PART_CHARACTERS] for text in (each[0], each[3], each[4]))
            if credit is not None and cost is not None:
                parts.append(Part(name, credit, cost, expected, got))
    return tuple(parts)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return None
    return number if number - number == 0 else None


def _parsed(body: bytes) -> Any:
    """The document that a function answered; None where it is no JSON, or nested beyond reading."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_type(body: bytes) -> str:
    """The class of a Lambda error. Its message stays out: it may quote what was graded."""
    document = _parsed(body)
    kind = document.get("errorType") if isinstance(document, dict) else None
    return str(kind)[:200] if kind else "an error without a type"
