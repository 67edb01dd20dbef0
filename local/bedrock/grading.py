"""Asking the grader Lambda for rewards, as the service does: batches, retries, and a check of every answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import orjson

from local.bedrock.records import Document
from local.bedrock.simulated_model import REASONING
from local.bedrock.tool_calls import calls_of

if TYPE_CHECKING:
    from local.bedrock.switches import Switches

Invoke = Callable[[str, bytes], Awaitable[bytes]]
"""Calls a function by its ARN with a payload and gives the payload of its answer; raises GraderFailed."""

Reasoning = Literal["none", "field", "parts", "inline", "think", "closing", "harmony", "plain_harmony"]

WITHIN_TEXT: Mapping[str, tuple[str, str]] = {
    "inline": ("<reasoning>", "</reasoning>"),
    "think": ("<think>\n", "\n</think>\n\n"),
    "closing": ("", "\n</think>\n\n"),
    "harmony": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    "plain_harmony": ("analysisWell. ", "assistantfinal"),
}
"""What stands before and behind the reasoning where the answer's text holds it: as Bedrock's runtime shows that of
gpt-oss, as Qwen3 writes it, as a template leaves it that opens it within the prompt, and as gpt-oss itself writes."""

_METRIC_TYPES = ("Reward", "Metric")


class GraderFailed(Exception):
    """The grader could not be called, failed, or answered what the contract does not allow."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One rollout to be graded."""

    rollout_id: str
    row: Document
    text: str


@dataclass(frozen=True, slots=True)
class GraderSettings:
    """How the grader is asked; what is not confirmed comes from the switches of the same names."""

    layout: Literal["toplevel", "metadata", "both"]
    wraps_strings: bool
    answer_role: str
    content: Literal["string", "parts"]
    reasoning: Reasoning
    tool_calls: Literal["beside", "content"]
    ids: Literal["unique", "row"]
    batch_size: int
    concurrency: int
    retries: int
    backoff_seconds: float
    unit_range: bool

    @classmethod
    def of(cls, switches: Switches, *, native: bool = False) -> GraderSettings:
        """The settings for the OpenAI-compatible path, or for the native one."""
        return cls(
            layout=switches.nova_grader_layout if native else switches.grader_layout,
            wraps_strings=switches.nova_grader_wraps_strings if native else switches.grader_wraps_strings,
            answer_role=switches.grader_answer_role,
            content=switches.grader_content,
            reasoning=switches.grader_reasoning,
            tool_calls=switches.grader_tool_calls,
            ids=switches.grader_ids,
            batch_size=switches.grader_batch_size,
            concurrency=switches.grader_concurrency,
            retries=switches.grader_retries,
            backoff_seconds=switches.grader_backoff_seconds,
            unit_range=switches.reward_range == "unit",
        )


async def rewards(arn: str, replies: Sequence[Reply], *, invoke: Invoke, settings: GraderSettings) -> list[float]:
    """The reward of each reply, in order. Raises GraderFailed once a batch has failed with all its retries."""
    gate = asyncio.Semaphore(settings.concurrency)

    async def graded(batch: Sequence[Reply]) -> list[float]:
        async with gate:
            return await _with_retries(arn, batch, invoke=invoke, settings=settings)

    size = settings.batch_size
    tasks = [asyncio.ensure_future(graded(replies[start : start + size])) for start in range(0, len(replies), size)]
    try:
        return [reward for batch in await asyncio.gather(*tasks) for reward in batch]
    finally:
        for task in tasks:
            task.cancel()


async def _with_retries(arn: str, batch: Sequence[Reply], *, invoke: Invoke, settings: GraderSettings) -> list[float]:
    samples = [sample_of(reply, settings) for reply in batch]
    payload = orjson.dumps(samples)
    for attempt in range(settings.retries + 1):
        try:
            answer = await invoke(arn, payload)
            return check_answer(answer, [sample["id"] for sample in samples], unit_range=settings.unit_range)
        except GraderFailed as failure:
            if attempt == settings.retries:
                tried = f"the grader failed {attempt + 1} times in a row, lastly: {failure}"
                raise GraderFailed(tried) from failure
            await asyncio.sleep(settings.backoff_seconds * 2**attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")


def sample_of(reply: Reply, settings: GraderSettings) -> Document:
    """One entry of the grader's batch, in the layout that the settings ask for."""
    fields = {name: value for name, value in reply.row.items() if name not in ("id", "messages")}
    if settings.wraps_strings and isinstance(fields.get("reference_answer"), str):
        fields["reference_answer"] = {"text": fields["reference_answer"]}
    before, behind = WITHIN_TEXT.get(settings.reasoning, ("", ""))
    calls = calls_of(reply.text) if settings.tool_calls == "beside" and reply.row.get("tools") else []
    said = "" if calls else reply.text
    text = f"{before}{REASONING}{behind}{said}" if behind else said
    content: Any = [{"type": "text", "text": text}] if settings.content == "parts" else text
    if settings.reasoning == "parts":
        content = [{"type": "reasoning", "text": REASONING}, {"type": "text", "text": text}]
    turn: Document = {"role": settings.answer_role, "content": content}
    if settings.reasoning == "field":
        turn["reasoning_content"] = REASONING
    if calls:
        turn["tool_calls"] = calls
    own_id = reply.row.get("id")
    sample: Document = {
        "id": own_id if settings.ids == "row" and isinstance(own_id, str) else reply.rollout_id,
        "messages": [*reply.row["messages"], turn],
    }
    if settings.layout != "metadata":
        sample.update(fields)
    if settings.layout != "toplevel":
        sample["metadata"] = fields
    return sample


def check_answer(answer: bytes, ids: Sequence[str], *, unit_range: bool) -> list[float]:
    """The rewards in the order of `ids`. Raises GraderFailed for what the contract does not allow."""
    try:
        entries = orjson.loads(answer)
    except orjson.JSONDecodeError as problem:
        raise GraderFailed(f"expected a JSON array, got what is no JSON: {answer[:80]!r}") from problem
    if not isinstance(entries, list) or len(entries) != len(ids):
        got = f"{len(entries)} entries" if isinstance(entries, list) else f"a {type(entries).__name__}"
        raise GraderFailed(f"expected an array of {len(ids)} entries, one a sample, got {got}: {answer[:80]!r}")
    for entry in entries:
        _check_entry(entry, unit_range=unit_range)
    given = [entry["id"] for entry in entries]
    if sorted(given) != sorted(ids):
        strange = sorted(set(given) - set(ids))[:3]
        raise GraderFailed(f"expected the ids of the samples, each once, got others, as {strange}")
    if len(set(ids)) < len(ids):
        if given != list(ids):
            raise GraderFailed("ids repeat in the batch and the answer's order is not the batch's: cannot be matched")
        return [float(entry["aggregate_reward_score"]) for entry in entries]
    by_id = {entry["id"]: float(entry["aggregate_reward_score"]) for entry in entries}
    return [by_id[name] for name in ids]


def _check_entry(entry: Any, *, unit_range: bool) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise GraderFailed(f"expected an object with a string 'id', got {entry!r:.80}")
    reward = entry.get("aggregate_reward_score")
    if not _is_number(reward):
        raise GraderFailed(
            f"sample {entry['id']}: expected a finite number as 'aggregate_reward_score', got {reward!r}"
        )
    if unit_range and not 0 <= reward <= 1:
        raise GraderFailed(f"sample {entry['id']}: expected an 'aggregate_reward_score' from 0 to 1, got {reward!r}")
    metrics = entry.get("metrics_list", [])
    if not isinstance(metrics, list) or not all(_is_metric(metric) for metric in metrics):
        raise GraderFailed(f"sample {entry['id']}: expected metrics of name, value and type, got {metrics!r:.120}")


def _is_metric(metric: Any) -> bool:
    return (
        isinstance(metric, dict)
        and isinstance(metric.get("name"), str)
        and _is_number(metric.get("value"))
        and metric.get("type") in _METRIC_TYPES
    )


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
