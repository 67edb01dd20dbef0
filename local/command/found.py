"""What each stage of a run has found so far, in a few words for the person who watches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.command.progress import Progress


def found(stage: str, progress: Progress) -> str:
    """What the stage has found so far, in a few words; "" while that is nothing."""
    return _FOUND[stage](progress) if stage in _FOUND else ""


def _registered(progress: Progress) -> str:
    return progress.run_id


def _settled(_progress: Progress) -> str:
    return "waited for the files beside train.jsonl"


def _resolved(progress: Progress) -> str:
    record = progress.record
    if record is None or not record.resolved:
        return ""
    parts = f"{record.base_model}, {record.grader_kind} grader"
    if record.recipe_file:
        return f"{parts}, {record.recipe_file.key.rpartition('/')[2]}"
    return parts if record.source.get("kind") == "call" else f"{parts}, the default recipe"


def _validated(progress: Progress) -> str:
    if progress.record is None or progress.record.dataset.rows is None:
        return ""
    dataset = progress.record.dataset
    text = f"{_count(dataset.rows, 'training row')}, {_count(dataset.test_rows, 'test row')}"
    if dataset.test_set == "held out":
        text += " (held out)"
    return f"{text}, {_count(dataset.warnings, 'warning')}"


def _rehearsed(progress: Progress) -> str:
    if progress.record is None or not progress.record.rehearsal.document:
        return ""
    rehearsal = progress.record.rehearsal
    mean, signal = rehearsal.mean_reward, rehearsal.groups_with_signal
    parts = [f"base model earns {mean:.3f}" if mean is not None else "no reward"]
    if signal is not None:
        parts.append(f"{signal:.0%} of prompts give a signal")
    findings = len(rehearsal.findings or ())
    return ", ".join([*parts, _count(findings, "finding")] if findings else parts)


def _awaited(progress: Progress) -> str:
    turn = progress.record.turn if progress.record else None
    if turn is None or progress.ended:
        return ""
    when = f", expected at {turn['turn_at']}" if turn["turn_at"] else ""
    return f"number {turn['place']} of {turn['waiting']}{when}"


def _submitted(progress: Progress) -> str:
    record = progress.record
    return f"job {record.job_id}" if record and record.job_id else ""


def _trained(progress: Progress) -> str:
    record = progress.record
    if not progress.metrics:
        return f"{record.job_status}" if record and record.job_status else ""
    last = progress.metrics[-1]
    text = f"step {last['step']:.0f}/{last.get('total_steps', 0):.0f}"
    if "critic_rewards_mean" in last:
        text += f", reward {last['critic_rewards_mean']:.3f}"
    if "actor_entropy" in last:
        text += f", entropy {last['actor_entropy']:.2f}"
    warned = [finding["name"] for finding in (record.training.findings if record else None) or ()]
    return f"{text}; warning: {', '.join(warned)}" if warned else text


def _planned(progress: Progress) -> str:
    answers = progress.answers
    return f"{_count(sum(each.wanted for each in answers.values()), 'answer')} to get" if answers else ""


def _evaluated(progress: Progress) -> str:
    parts = []
    for name, answers in progress.answers.items():
        counts = f"{answers.got}/{answers.wanted}" if answers.got < answers.wanted else f"{answers.got:,}"
        right = f", {answers.accuracy:.1%} right" if answers.accuracy is not None else ""
        parts.append(f"{name} {counts}{right}")
    return "; ".join(parts)


def _concluded(progress: Progress) -> str:
    return (progress.record and progress.record.evaluation.verdict) or ""


def _promoted(progress: Progress) -> str:
    return (progress.record and progress.record.promotion_parameter) or ""


def _published(progress: Progress) -> str:
    return "notice published" if progress.notified else ""


def _asked(_progress: Progress) -> str:
    return "the promotion waits for a person's approval"


def _count(number: int | None, thing: str) -> str:
    number = number or 0
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


_FOUND: Mapping[str, Callable[[Progress], str]] = {
    "RegisterRun": _registered,
    "Settle": _settled,
    "ResolveInputs": _resolved,
    "ValidateDataset": _validated,
    "RehearseGrader": _rehearsed,
    "AwaitTurn": _awaited,
    "SubmitJob": _submitted,
    "PollJob": _trained,
    "PlanEvaluation": _planned,
    "EvaluateShards": _evaluated,
    "ConcludeRun": _concluded,
    "PromoteModel": _promoted,
    "PublishNotice": _published,
    "AskForApproval": _asked,
}
