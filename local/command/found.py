"""What each stage of a run has found so far, in a few words for the person who watches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

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
    if record is None or record.recipe is None:
        return ""
    model, grader = record.recipe["model"], record.recipe["grader"]["kind"]
    recipe = record.recipe_file.key.rpartition("/")[2] if record.recipe_file else "the default recipe"
    return f"{model}, {grader} grader, {recipe}"


def _validated(progress: Progress) -> str:
    dataset: Mapping[str, Any] = (progress.record and progress.record.dataset) or {}
    if not dataset:
        return ""
    told = f"{_count(dataset.get('rows'), 'training row')}, {_count(dataset.get('test_rows'), 'test row')}"
    if dataset.get("test_set") == "held out":
        told += " (held out)"
    return f"{told}, {_count(dataset.get('warnings', 0), 'warning')}"


def _rehearsed(progress: Progress) -> str:
    rehearsal: Mapping[str, Any] = (progress.record and progress.record.rehearsal) or {}
    if not rehearsal:
        return ""
    mean, signal = rehearsal.get("mean_reward"), rehearsal.get("groups_with_signal")
    told = [f"base model earns {mean:.3f}" if mean is not None else "no reward"]
    if signal is not None:
        told.append(f"{signal:.0%} of prompts give a signal")
    findings = len(rehearsal.get("findings", []))
    return ", ".join([*told, _count(findings, "finding")] if findings else told)


def _submitted(progress: Progress) -> str:
    record = progress.record
    return f"job {record.job_id}" if record and record.job_id else ""


def _trained(progress: Progress) -> str:
    record = progress.record
    if not progress.metrics:
        return f"{record.job_status}" if record and record.job_status else ""
    last = progress.metrics[-1]
    told = f"step {last['step']:.0f}/{last.get('total_steps', 0):.0f}"
    if "critic_rewards_mean" in last:
        told += f", reward {last['critic_rewards_mean']:.3f}"
    if "actor_entropy" in last:
        told += f", entropy {last['actor_entropy']:.2f}"
    warned = [finding["name"] for finding in ((record and record.training) or {}).get("findings") or ()]
    return f"{told}; warning: {', '.join(warned)}" if warned else told


def _planned(progress: Progress) -> str:
    answers = progress.answers
    return f"{_count(sum(each.wanted for each in answers.values()), 'answer')} to get" if answers else ""


def _evaluated(progress: Progress) -> str:
    told = []
    for name, answers in progress.answers.items():
        counts = f"{answers.got}/{answers.wanted}" if answers.got < answers.wanted else f"{answers.got:,}"
        right = f", {answers.accuracy:.1%} right" if answers.accuracy is not None else ""
        told.append(f"{name} {counts}{right}")
    return "; ".join(told)


def _concluded(progress: Progress) -> str:
    evaluation: Mapping[str, Any] = (progress.record and progress.record.evaluation) or {}
    return f"{evaluation['verdict']}" if evaluation else ""


def _promoted(progress: Progress) -> str:
    recipe: Mapping[str, Any] = (progress.record and progress.record.recipe) or {}
    promotion = recipe.get("promotion") or {}
    return str(promotion.get("parameter", ""))


def _published(progress: Progress) -> str:
    return "notice published" if progress.notified else ""


def _asked(_progress: Progress) -> str:
    return "the promotion waits for a person's word"


def _count(number: int | None, thing: str) -> str:
    number = number or 0
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


_FOUND: Mapping[str, Callable[[Progress], str]] = {
    "RegisterRun": _registered,
    "Settle": _settled,
    "ResolveInputs": _resolved,
    "ValidateDataset": _validated,
    "RehearseGrader": _rehearsed,
    "SubmitJob": _submitted,
    "PollJob": _trained,
    "PlanEvaluation": _planned,
    "EvaluateShards": _evaluated,
    "ConcludeRun": _concluded,
    "PromoteModel": _promoted,
    "PublishNotice": _published,
    "AskForApproval": _asked,
}
