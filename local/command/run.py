"""`tunedrop run FOLDER`: your own dataset through the whole pipeline on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.command import exits, language_model, own_grader, which_stack
from local.command.dataset_folder import REGIONS
from local.command.help_text import Wrapped

_DESCRIPTION = """\
Take a folder through a stack: upload its files, start a run, follow it to its end, fetch the report, and show the
result. The stack is the one that you name, or the one that `tunedrop up` keeps running. If there is neither, the
command starts a stack of its own and drops the files into its inbox.

On this machine the training and the model are simulated, unless --model names real weights; validation, rehearsal,
evaluation, verdict and notice are the same as in a deployed stack.

The folder holds
  train.jsonl   one row a line: {"messages": [...], "reference_answer": ...}; 100 to 20,000 rows
  test.jsonl    rows to compare base and tuned model on (without it a tenth of the training rows is held out)
  recipe.yaml   model, grader, hyperparameters and more, all with defaults (or recipe.json)"""

_EXAMPLES = """\
examples:
  tunedrop run events/datasets/gsm8k
  tunedrop run my_folder --stack tunedrop-dev
  tunedrop run my_folder --json | tail -n 1 | python -m json.tool"""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "run",
        help="take a folder of your own through the whole pipeline",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{which_stack.HELP}\n\n{language_model.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("folder", type=Path, help="folder that holds train.jsonl")
    parser.add_argument("--name", help="what the run is called (default: the folder's name)")
    which_stack.add_options(parser)
    add_run_options(parser)
    own_grader.add_file_option(parser)
    own_grader.add_allow_option(parser)
    parser.set_defaults(run=run)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of every sub-command that takes a dataset through the pipeline."""
    parser.add_argument(
        "--json",
        action="store_true",
        help="print only the notice, as the last line on stdout; for a run by the API, the run as the API shows it",
    )
    parser.add_argument("--plain", action="store_true", help="plain lines instead of the live view")
    parser.add_argument(
        "--region",
        choices=REGIONS,
        help="the stack's Region; on this machine the one that is imitated (default: the one in which the recipe's "
        "model trains: Nova in us-east-1, the open-weight models in us-west-2)",
    )
    language_model.add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Take the folder through the pipeline; the exit code that its status has."""
    from local.command.dataset_folder import DatasetFolder
    from local.command.unused_files import tell_unused

    dataset = DatasetFolder.open(arguments.folder, arguments.name)
    tell_unused(arguments.folder)
    asks_for_own = bool(arguments.grader_file or arguments.allow_grader or arguments.weights)
    if not (asks_for_own or dataset.grader) or which_stack.named(arguments):
        client = which_stack.chosen(arguments, region=arguments.region or dataset.region)
        if client is not None:
            own_grader.require_deployed(dataset)
            if asks_for_own:
                raise exits.UsageError(
                    "--grader-file, --allow-grader and --model work only with a stack that this command starts"
                )
            from local.command import api_run

            return api_run.take_through(client, dataset, arguments)
    with own_grader.with_own_grader(dataset, arguments.grader_file) as (graded, files):
        parameters = own_grader.parameters(arguments.allow_grader)
        return take_through_and_tell(graded, arguments, own_graders=files, parameters=parameters)


def take_through_and_tell(
    dataset: Any,
    arguments: argparse.Namespace,
    *,
    model: Mapping[str, Any] | None = None,
    own_graders: Sequence[Path] = (),
    parameters: Mapping[str, str] | None = None,
) -> int:
    """Start a stack, take `dataset` (a DatasetFolder) through it, show the end; the exit code.

    The stack serves the files `own_graders` and has these template `parameters`. `model` is a model that an earlier
    stack trained and this one is to have.
    """
    from local.command.ending import show_end
    from local.command.following import take_through
    from local.command.running_stack import running_stack
    from local.command.terminal import open_view

    console, view = open_view(to_stderr=arguments.json, plain=arguments.plain)
    try:
        region = arguments.region or dataset.region
        with running_stack(
            view,
            region=region,
            own_graders=own_graders,
            parameters=parameters,
            language_model=language_model.chosen(arguments),
            switches=language_model.switches(arguments, dataset),
        ) as stack:
            if model is not None:
                stack.bedrock.keep_policy(model)
            followed = take_through(stack, dataset, view)
    finally:
        view.close()
    show_end(console, followed, dataset)
    if arguments.json:
        print(json.dumps(followed.notice.message, ensure_ascii=False), file=sys.stdout, flush=True)
    return exits.of_status(followed.notice.status)
