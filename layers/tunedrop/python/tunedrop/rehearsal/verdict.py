"""What a rehearsal found, and whether the job is worth its money."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, quantiles
from typing import Any

from tunedrop.graders.deployed import Graded
from tunedrop.outcomes import GraderUnsound, NoSignal
from tunedrop.recipe import Gates
from tunedrop.rehearsal.sampling import Group


class Severity(enum.StrEnum):
    """What a finding means for the run."""

    STOP = "stop"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rehearsal found: what it is, the evidence, and what to do."""

    rule: str
    severity: Severity
    message: str
    advice: str


_PROGRAM_FIELDS = ("code", "canonical_solution")
"""Where a row whose reference are tests has the program that passes them."""


def reference_answer_text(row: Mapping[str, Any]) -> str:
    """The reference answer as an answer of the model: a text as it is, a program as its source, all else as JSON."""
    reference = row.get("reference_answer")
    if isinstance(reference, Mapping):
        reference = next((reference[name] for name in _PROGRAM_FIELDS if name in reference), reference)
    return reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)


def figures(groups: Sequence[Group], references: Sequence[Graded]) -> dict[str, Any]:
    """The rehearsal in numbers: rewards 0 to 1, shares 0 to 1, latencies in seconds, lengths in tokens."""
    graded = [each for group in groups for each in group.graded]
    rewards = [reward for group in groups for reward in group.rewards]
    replies = [reply for group in groups for reply in group.replies]
    latencies = [reply.latency_seconds for reply in replies if reply.latency_seconds is not None]
    lengths = [reply.completion_tokens for reply in replies if reply.completion_tokens is not None]
    reference_rewards = [each.reward for each in references if each.reward is not None]
    return {
        "prompts": len(groups),
        "samples": len(replies),
        "mean_reward": fmean(rewards) if rewards else None,
        "groups_with_signal": sum(group.has_signal for group in groups) / len(groups),
        "grader_errors": sum(each.ungraded is not None for each in graded) / len(graded),
        "truncated": sum(reply.finish_reason == "length" for reply in replies) / len(replies),
        "reference_reward": fmean(reference_rewards) if reference_rewards else None,
        "latency_p50": _quantile(latencies, 50),
        "latency_p99": _quantile(latencies, 99),
        "completion_tokens_p50": _quantile(lengths, 50),
        "completion_tokens_p99": _quantile(lengths, 99),
    }


def judge(numbers: Mapping[str, Any], gates: Gates) -> list[Finding]:
    """What the figures mean, by the recipe's gates. The thresholds follow AWS's advice on the baseline reward."""
    findings: list[Finding] = []

    def stop(rule: str, message: str, advice: str) -> None:
        findings.append(Finding(rule, Severity.STOP, message, advice))

    errors = numbers["grader_errors"]
    if errors > gates.most_grader_errors:
        stop(
            "grader_errors",
            f"The grader failed on {errors:.0%} of {numbers['samples']} answers; {gates.most_grader_errors:.0%} is "
            "allowed (`gates.most_grader_errors`).",
            "Look at the grader's log, and at the rows that it failed on, in rehearsal.json.",
        )
    mean = numbers["mean_reward"]
    if mean is not None and mean < gates.least_baseline:
        stop(
            "baseline_too_low",
            f"The base model's mean reward is {mean:.3f}; at least {gates.least_baseline:g} is needed "
            "(`gates.least_baseline`): what is never rewarded is never learned.",
            "Fine-tune on examples first, ease the task, or give partial credit.",
        )
    if mean is not None and mean > gates.most_baseline:
        stop(
            "baseline_too_high",
            f"The base model's mean reward is {mean:.3f} already; above {gates.most_baseline:g} "
            "(`gates.most_baseline`) there is hardly anything left to learn.",
            "Use harder rows or a stricter grader, or keep the base model.",
        )
    signal = numbers["groups_with_signal"]
    if mean is not None and signal < gates.least_groups_with_signal:
        stop(
            "no_signal_within_groups",
            f"In {1 - signal:.0%} of the groups all answers got the same reward; rewards must differ in at least "
            f"{gates.least_groups_with_signal:.0%} (`gates.least_groups_with_signal`): GRPO learns from the "
            "differences alone.",
            "Use rows of middling difficulty, or a grader with partial credit.",
        )
    reference = numbers["reference_reward"]
    if reference is not None and mean is not None and reference < mean:
        findings.append(
            Finding(
                "reference_scores_low",
                Severity.WARNING,
                f"The reference answers themselves score {reference:.3f}, less than the base model's {mean:.3f}.",
                "Check that the grader reads the references as you mean them.",
            )
        )
    if numbers["truncated"] > 0:
        findings.append(
            Finding(
                "answers_truncated",
                Severity.WARNING,
                f"{numbers['truncated']:.0%} of the answers were cut off at the recipe's `evaluation.max_tokens`.",
                "Raise `evaluation.max_tokens`.",
            )
        )
    return findings


def document(groups: Sequence[Group], numbers: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, Any]:
    """rehearsal.json: the figures, the findings, and every answer with its grade."""
    return {
        **numbers,
        "findings": [asdict(finding) for finding in findings],
        "groups": [
            {
                "messages": group.row["messages"],
                "answers": [
                    {
                        "answer": reply.text,
                        "finish_reason": reply.finish_reason,
                        "reward": graded.reward,
                        "ungraded": graded.ungraded,
                        "explanation": graded.explanation,
                    }
                    for reply, graded in zip(group.replies, group.graded, strict=True)
                ],
            }
            for group in groups
        ],
    }


def stop_if_hopeless(findings: Sequence[Finding]) -> None:
    """Raise what the findings say, all of it at once, where one of them stops the run.

    Raises:
        GraderUnsound: the grader itself fails.
        NoSignal: the grader works, but there is nothing to learn from.
    """
    stops = [finding for finding in findings if finding.severity is Severity.STOP]
    if not stops:
        return
    message = " ".join(f"{finding.message} {finding.advice}" for finding in stops)
    if any(finding.rule == "grader_errors" for finding in stops):
        raise GraderUnsound(message)
    raise NoSignal(message)


def _quantile(values: Sequence[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
