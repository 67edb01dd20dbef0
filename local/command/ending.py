"""The end of a run on the screen: the notice as the subscriber got it, the verdict, where things lie, what is next."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.command import kept_runs, places
from local.command.dataset_folder import DatasetFolder
from local.command.differences import p_value
from local.command.following import LOGS, FollowedRun
from local.command.path_hint import typed
from local.command.sparkline import sparkline
from local.command.subscriber import Received
from local.command.terminal import lay_out
from tunedrop.graders.reward_range import UNIT
from tunedrop.run import folder as names

_COLOURS: Mapping[str, str] = {
    "improved": "green",
    "tied": "yellow",
    "regressed": "red",
    "REJECTED": "yellow",
    "FAILED": "red",
    "CANCELLED": "yellow",
}
_BAR = 30
_CURVE = 40
_LOOKED_AT = 20
"""Runs among which the one before is looked for: each has a report to read."""
_EXAMPLES = places.REPOSITORY / "events/datasets"
_SIMULATED = "Simulated: the training and the model's answers are this machine's simulation, not Bedrock's."


def show_end(console: Console, followed: FollowedRun, dataset: DatasetFolder) -> None:
    """Print the end of a run that has come to its notice."""
    console.print()
    _show_notice(console, followed.notice)
    console.print()
    body = _success(followed) if followed.notice.status == "SUCCEEDED" else _other_end(followed)
    word = _word(followed.notice)
    if console.is_terminal:
        console.print(
            Panel(body, border_style=_COLOURS.get(word, "default"), padding=(1, 2), width=min(console.width, 100))
        )
    else:
        lay_out(console, Padding(body, (0, 2)))
    console.print()
    _show_where(console, followed, dataset)


def _show_notice(console: Console, notice: Received) -> None:
    console.print(Text("The notice, as it reached a subscriber's SQS queue:", style="bold"))
    attributes = "  ".join(f"{name}={value}" for name, value in sorted(notice.attributes.items()))
    for label, value in (("subject", notice.subject), ("attributes", attributes)):
        console.print(Text.assemble((f"  {label:<11}", "dim"), value), soft_wrap=True)
    message = json.dumps(dict(notice.message), indent=2, ensure_ascii=False)
    console.print(Text("\n".join(f"  {line}" for line in message.splitlines()), style="dim"), soft_wrap=True)


def _success(followed: FollowedRun) -> RenderableType:
    evaluation = followed.notice.message["evaluation"]
    result: Mapping[str, Any] = json.loads((followed.folder / names.EVALUATION).read_bytes())
    comparison, interval = result["comparison"], f"{1 - result['level']:.0%} interval"
    measure = "accuracy" if comparison.get("accuracy") else "reward"
    compared = comparison[measure]
    before, after = compared["first"]["mean"], compared["second"]["mean"]
    colour = _COLOURS[evaluation["verdict"]]
    label = "accuracy" if measure == "accuracy" else "mean reward"
    lines: list[RenderableType] = [
        Text.assemble(
            (f" {evaluation['verdict'].upper()} ", f"bold reverse {colour}"),
            "   ",
            (f"{label} {_figure(before, measure)} → {_figure(after, measure)}", "bold"),
        ),
        Text(),
        _bars(compared, measure, colour, interval),
        Text(),
        Text(_difference(evaluation, interval)),
    ]
    training = followed.notice.message["training"] or {}
    rewards = [each["critic_rewards_mean"] for each in followed.progress.metrics if "critic_rewards_mean" in each]
    if rewards:
        curve = Text("reward in training ")
        low, high = result.get("reward_range", UNIT)  # runs of earlier versions have none
        curve.append(sparkline(rewards, _CURVE, low=low, high=high), style=colour)
        lines.append(curve)
        lines.append(
            Text(
                f"{training['steps']} steps, from {training['reward_first']:.3f} (mean of the first 5) "
                f"to {training['reward_last']:.3f} (of the last 5)",
                style="dim",
            )
        )
    if evaluation.get("suspected_reward_hacking"):
        lines += [
            Text(),
            Text("Suspected reward hacking: the reward rose, but something else got worse.", style="red"),
        ]
    if training.get("simulated"):
        lines += [Text(), Text(_SIMULATED, style="dim italic")]
    elif training.get("weights"):
        weights = training["weights"]
        real = f"Real: {weights['name']} (licence: {weights['licence']}), trained on {training['trained_on']}."
        lines += [Text(), Text(real, style="dim italic")]
    return Group(*lines)


def _other_end(followed: FollowedRun) -> RenderableType:
    message = followed.notice.message
    reason = message["reason"] or {}
    word = _word(followed.notice)
    job = (message["training"] or {}).get("job_id")
    lines = [
        Text.assemble(
            (f" {word} ", f"bold reverse {_COLOURS.get(word, 'red')}"), "   ", (reason.get("error", ""), "bold")
        ),
        Text(),
        Text(_with_local_paths(reason.get("message", ""), followed)),
        Text(),
        Text(f"Job {job} was created." if job else "No training job was created.", style="dim"),
    ]
    return Group(*lines)


def _with_local_paths(message: str, followed: FollowedRun) -> str:
    """Addresses in the run's folder as paths in its copy, which the reader can open."""
    folder = re.compile(rf"s3://[^/\s]+/runs/{re.escape(followed.progress.run_id)}(?=/)")
    return folder.sub(lambda _: places.shown(followed.folder), message)


def _show_where(console: Console, followed: FollowedRun, dataset: DatasetFolder) -> None:
    folder = followed.folder
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    reported = [places.shown(folder / name) for name in (names.REPORT_PAGE, names.REPORT) if (folder / name).exists()]
    if reported:
        table.add_row("report", Text(reported[0]))
    table.add_row("all files", Text(f"{places.shown(folder)}/"))
    for place, step in enumerate(_next_steps(followed, dataset)):
        table.add_row("next" if place == 0 else "", Text(step))
    for each in followed.notice.message.get("may_still_cost") or ():
        table.add_row("left behind", Text(f"{each['kind']} {each['id']}: {each['why']}"))
    table.add_row("took", Text(f"{followed.seconds:.0f} s from the upload to the notice"))
    lay_out(console, table)


def _next_steps(followed: FollowedRun, dataset: DatasetFolder) -> Sequence[str]:
    source = places.shown(dataset.train.parent)
    error = (followed.notice.message["reason"] or {}).get("error")
    if followed.progress.waits_for_approval:
        return ("the promotion waits for a person's approval through the API: start `make up`, and run it there",)
    if followed.notice.status == "SUCCEEDED":
        return _after_success(followed, dataset)
    if error == "DatasetInvalid":
        return (f"fix the lines, then check again without a run: tunedrop validate {source}",)
    if error in ("NoSignal", "GraderUnsound"):
        answers = places.shown(followed.folder / names.REHEARSAL)
        return (
            f"read the graded answers in {answers}",
            f"change the rows or the grader, then: tunedrop rehearse {source}",
        )
    if followed.notice.status == "REJECTED":
        return (f"fix what the reason above names in {source}, then run it again",)
    last = followed.progress.failed_at or ""
    logged = sorted((followed.folder / LOGS).glob(f"*-{last}-*.log")) or [followed.folder / LOGS]
    return (f"read the function's log: {places.shown(logged[0])}",)


def _after_success(followed: FollowedRun, dataset: DatasetFolder) -> Sequence[str]:
    run_id = followed.progress.run_id
    before = _run_before(dataset.name, run_id)
    own = not dataset.train.resolve().is_relative_to(_EXAMPLES)
    command = typed()
    steps = [(f"{command} report {run_id}", "open the report: which answers still fail, and why")]
    if before is not None:
        steps.append((f"{command} compare {before.run_id} {run_id}", "this run and the one before"))
    if not own:
        steps.append(("make run DATASET=folder", "the same with your own train.jsonl"))
    steps.append(("make up", "leave it running for the AWS CLI, SDKs and curl"))
    return [f"{step}    {what}" for step, what in steps]


def _run_before(name: str, run_id: str) -> kept_runs.KeptRun | None:
    """The latest other run of this name that succeeded, among the last runs on this machine."""
    try:
        for each in islice(kept_runs.newest_first(), _LOOKED_AT):
            if each.report["name"] == name and each.run_id != run_id and each.report["status"] == "SUCCEEDED":
                return each
    except (OSError, ValueError, KeyError):
        return None  # a report that cannot be read: no reason to end a run that went well with an error
    return None


def _bars(compared: Mapping[str, Any], measure: str, colour: str, interval: str) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, side, style in (("base", "first", "blue"), ("tuned", "second", colour)):
        mean, low, high = (compared[side][each] for each in ("mean", "low", "high"))
        filled = round(mean * _BAR)
        bar = Text("█" * filled, style=style)
        bar.append("░" * (_BAR - filled), style="dim")
        range_text = Text(f"{interval} {_figure(low, measure)} to {_figure(high, measure)}", style="dim")
        table.add_row(name, bar, Text(_figure(mean, measure), style="bold"), range_text)
    return table


def _difference(evaluation: Mapping[str, Any], interval: str) -> str:
    return (
        f"mean reward {evaluation['difference']:+.3f} ({interval} {evaluation['ci_low']:+.3f} to "
        f"{evaluation['ci_high']:+.3f}), {p_value(evaluation['p_value'])}, {evaluation['rows']:,} rows answered by both"
    )


def _figure(value: float, measure: str) -> str:
    return f"{value:.1%}" if measure == "accuracy" else f"{value:.3f}"


def _word(notice: Received) -> str:
    return str(notice.message["evaluation"]["verdict"]) if notice.status == "SUCCEEDED" else notice.status
