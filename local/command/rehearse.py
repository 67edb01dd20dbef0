"""`tunedrop rehearse FOLDER`: the grader's trial on the base model, without a run and without a job."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.command import at_endpoint, exits, own_grader, places
from local.command.dataset_folder import REGIONS, DatasetFolder
from local.command.help_text import Wrapped

if TYPE_CHECKING:
    from rich.console import Console

    from local.command.views import View
    from local.stack import LocalStack

_DESCRIPTION = """\
Ask the base model a few of the folder's prompts, grade the answers, and say whether a training could learn from them.
A run does the same in RehearseGrader, before you pay for a job. This command creates no job: on this machine it calls
the functions of the states up to RehearseGrader one by one. The model is simulated unless you name a real one."""

_EXAMPLES = """\
examples:
  tunedrop rehearse my_folder
  tunedrop rehearse my_folder --endpoint http://127.0.0.1:11434/v1 --model gpt-oss:20b
  tunedrop rehearse my_folder --bedrock"""

_STATES = ("ResolveInputs", "ValidateDataset", "RehearseGrader")

PREFIX = "uploads/rehearsals/"
"""Where the files are put: in the dataset bucket, but outside the inbox, so that the upload starts nothing."""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "rehearse",
        help="try the grader on the base model's answers, without a job",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{at_endpoint.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("folder", type=Path, help="folder that holds train.jsonl")
    parser.add_argument("--json", action="store_true", help="print the rehearsal's figures as the last line on stdout")
    parser.add_argument("--region", choices=REGIONS, help="the Region that is imitated, as for `tunedrop run`")
    own_grader.add_file_option(parser)
    at_endpoint.add_options(parser)
    parser.add_argument(
        "--model", metavar="ID", help="the model to ask at the endpoint (with --bedrock: in place of the recipe's)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Rehearse; 0 where a run would go on to its job, 2 where it would be rejected, 1 where it would fail."""
    dataset = DatasetFolder.open(arguments.folder)

    from local.command.running_stack import running_stack
    from local.command.terminal import open_view
    from local.command.unused_files import tell_unused

    tell_unused(arguments.folder)
    console, view = open_view(to_stderr=arguments.json, plain=True)
    if at_endpoint.wanted(arguments):
        return _tell(console, at_endpoint.rehearse(arguments.folder, arguments), as_json=arguments.json)
    with (
        own_grader.with_own_grader(dataset, arguments.grader_file) as (graded, files),
        running_stack(view, region=arguments.region or dataset.region, own_graders=files) as stack,
    ):
        document = rehearse(stack, graded, view)
    return _tell(console, document, as_json=arguments.json)


def _tell(console: Console, document: Mapping[str, Any], *, as_json: bool) -> int:
    _show(console, document)
    if as_json:
        print(json.dumps(document, ensure_ascii=False), file=sys.stdout, flush=True)
    return exits.of_status("SUCCEEDED" if document["status"] == "GO" else document["status"])


def rehearse(stack: LocalStack, dataset: DatasetFolder, view: View) -> dict[str, Any]:
    """Call the deployed functions in the states' order.

    What came of it: `status` GO, REJECTED or FAILED, `reason` (`error` and `message`, None for GO), `rehearsal` (the
    figures and findings, None where it was not reached), `folder` (the copy of what was written) and `page` in it.
    """
    from local.command.following import copy_run_folder
    from local.command.rehearsal_page import write_page
    from tunedrop import clock
    from tunedrop.outcomes import status_of_error
    from tunedrop.run.store import RunStore

    bucket = stack.outputs["DatasetBucketName"]
    key, version = dataset.upload(stack.aws.client("s3"), bucket, PREFIX)
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "version-id": version}}
    began = {
        "input": {"source": "aws.s3", "detail": detail},
        # No execution has this name; it has an ARN's form because the run's record is read by what expects one.
        "execution_arn": stack.outputs["PipelineArn"].replace(":stateMachine:", ":execution:") + ":rehearsal",
        "started_at": clock.now_text(),
    }
    registered, reason = _call(stack, "RegisterRun", began)
    if reason is not None:
        raise exits.CommandError(f"the rehearsal could not begin: {reason['error']}: {reason['message']}")
    run_id = registered["run_id"]
    for state in _STATES:
        if reason is None:
            view.tell(state)
            _, reason = _call(stack, state, {"run_id": run_id})
    record = RunStore(stack.aws.client("dynamodb"), stack.outputs["RunsTableName"]).load(run_id)
    told = {
        "status": "GO" if reason is None else str(status_of_error(reason["error"])),
        "reason": reason,
        "rehearsal": record.rehearsal.document or None,
        "simulated": True,
    }
    folder, recipe = copy_run_folder(stack, run_id), record.recipe_document or {}
    page = write_page(folder, told, name=dataset.name, recipe=recipe, what_is_real=at_endpoint.sentence(told))
    return {**told, "folder": f"{places.shown(folder)}/", "page": places.shown(page) if page else None}


def _call(stack: LocalStack, name: str, event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str] | None]:
    """Invoke a deployed function: its answer, and the error that it raised, if it did."""
    answer = stack.aws.client("lambda").invoke(FunctionName=stack.resources[name], Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return {}, {"error": payload.get("errorType", "Unknown"), "message": payload.get("errorMessage", "")}
    return payload, None


_FIGURES: Mapping[str, str] = {
    "prompts": "prompts",
    "samples": "answers of the base model",
    "mean_reward": "mean reward of the base model",
    "groups_with_signal": "share of the prompts whose answers differ in reward",
    "reference_reward": "mean reward of the reference answers",
    "honest_wrong_reward": "mean reward of honest wrong answers",
    "grader_errors": "share of the answers that the grader failed on",
    "unstable": "share of the answers that got a different reward the second time",
    "truncated": "share of the answers that were cut off",
    "unfinished_thoughts": "share of the answers that ended in the thoughts",
    "completion_tokens_p99": "tokens an answer, 99th percentile",
    "step_grading_seconds": "seconds to grade a training step",
}


def _show(console: Console, document: Mapping[str, Any]) -> None:
    from rich.text import Text

    rehearsal = document["rehearsal"] or {}
    if rehearsal:
        _show_figures(console, rehearsal)
    for finding in rehearsal.get("findings", []):
        style = "red" if finding["severity"] == "stop" else "yellow"
        told = f"{finding['message']} {finding['advice']}"
        console.print(Text.assemble((f"{finding['rule']}: ", f"bold {style}"), told, "\n"))
    reason = document["reason"]
    if reason is None:
        warned = bool(rehearsal.get("findings"))
        word, colour = (" GO WITH WARNINGS ", "yellow") if warned else (" GO ", "green")
        console.print(Text.assemble((word, f"bold reverse {colour}"), "  A run would go on to its training job."))
    else:
        # What the rehearsal found is told above, finding by finding.
        told = "" if rehearsal else reason["message"]
        word = f" {document['status']} "
        console.print(Text.assemble((word, "bold reverse red"), f"  {reason['error']}  {told}"), soft_wrap=True)
    console.print()
    where = f"{at_endpoint.sentence(document)} The rehearsal's files are in {document['folder']}"
    console.print(Text(where, style="dim"), soft_wrap=True)
    if document["page"]:
        console.print(Text.assemble(("page     ", "dim"), document["page"]), soft_wrap=True)


def _show_figures(console: Console, rehearsal: Mapping[str, Any]) -> None:
    from rich.table import Table

    from local.command.terminal import lay_out

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column(style="dim")
    table.add_row()
    for name, label in _FIGURES.items():
        if rehearsal.get(name) is not None:
            table.add_row(_number(rehearsal[name]), label)
    least = (rehearsal.get("test_set") or {}).get("least_detectable")
    if least is not None:
        told = "smallest difference of accuracy that the {rows:,} test rows show, if {assumed_discordant:.0%} differ"
        table.add_row(f"{least:.1%}", told.format(**rehearsal["test_set"]))
    for cheat, reward in (rehearsal.get("cheats") or {}).items():
        if reward is not None:
            table.add_row(_number(float(reward)), f"mean reward of a cheat: {cheat.replace('_', ' ')}")
    estimate = rehearsal.get("estimate") or {}
    if estimate:
        table.add_row(
            _number(estimate["gradings"]), f"gradings that the job would ask for, in {estimate['steps']:,} steps"
        )
    table.add_row()
    lay_out(console, table)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
