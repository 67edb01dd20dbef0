"""`tunedrop evaluate MODEL FOLDER`: a model that exists already, compared with its base on a folder's test rows."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.command import at_endpoint, exits, own_grader, places, which_stack
from local.command.help_text import Wrapped
from local.command.run import add_run_options

if TYPE_CHECKING:
    from local.command.dataset_folder import DatasetFolder

_DESCRIPTION = """\
Take a folder through the pipeline without training. The run asks an existing model and the recipe's base model the
folder's test rows, grades the answers, and compares the two models as it does after a training.

MODEL is a model's id, or the id of an earlier run of the stack or on this machine; a run's id stands for its tuned
model. On this machine the model is simulated, or --model names the weights that an earlier run with --model trained."""

_EXAMPLES = """\
examples:
  tunedrop evaluate gsm8k-37866e5aac893f84 events/datasets/gsm8k
  tunedrop evaluate gsm8k-37866e5aac893f84 my_folder --stack tunedrop-dev
  tunedrop evaluate qwen.qwen3-32b my_folder --json | tail -n 1"""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="compare an existing model with its base, without training",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{which_stack.HELP}\n\n{at_endpoint.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    parser.add_argument("model", help="a model's id, or the id of a run with a tuned model")
    parser.add_argument("folder", type=Path, help="folder that holds train.jsonl, test.jsonl and the recipe")
    parser.add_argument("--name", help="what the run is called (default: the folder's name)")
    which_stack.add_options(parser)
    add_run_options(parser)
    own_grader.add_file_option(parser)
    at_endpoint.add_options(parser)
    parser.add_argument("--base", metavar="ID", help="the model at the endpoint to compare MODEL with")
    parser.add_argument("--rows", metavar="N", type=int, help="with --endpoint or --bedrock: ask only the first N rows")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate the model; the exit code that the run's status has."""
    from local.command.dataset_folder import DatasetFolder
    from local.command.run import take_through_and_tell
    from local.command.unused_files import tell_unused

    dataset = DatasetFolder.open(arguments.folder, arguments.name)
    tell_unused(arguments.folder)
    if at_endpoint.wanted(arguments):
        return at_endpoint.evaluate(arguments.model, arguments.folder, arguments)
    model = model_of(arguments.model)
    _check_weights(arguments, model)
    of_this_machine = bool(arguments.grader_file or arguments.weights)
    client = None
    if not (of_this_machine or dataset.grader) or which_stack.named(arguments):
        client = which_stack.chosen(arguments, region=arguments.region or dataset.region)
    if client is not None:
        from local.command import api_run

        own_grader.require_deployed(dataset)
        if of_this_machine:
            raise exits.UsageError("--grader-file and --model work only with a stack that this command starts")
        return api_run.take_through(client, dataset, arguments, evaluate_only=api_run.model_of(client, model))
    with (
        own_grader.with_own_grader(dataset, arguments.grader_file) as (graded, files),
        tempfile.TemporaryDirectory() as folder,
    ):
        evaluated = with_model(graded, model, Path(folder))
        return take_through_and_tell(evaluated, arguments, model=kept_model(model), own_graders=files)


def _check_weights(arguments: argparse.Namespace, model: str) -> None:
    """A model answers only on the weights that it was trained on."""
    kept = kept_model(model) or {}
    if bool(kept.get("adapter")) != bool(arguments.weights) and kept:
        trained_on = (kept.get("weights") or {}).get("name", "the simulation")
        raise exits.UsageError(
            f"{model} was trained on {trained_on}; --model must name the same weights, and no others"
        )


def model_of(name: str) -> str:
    """The model's id: that of the run's tuned model where `name` is a run on this machine.

    Raises:
        UsageError: the run made no model.
    """
    report = places.RUNS / name / "report.json"
    if "/" in name or not report.is_file():
        return name
    model = json.loads(report.read_bytes())["tuned_model"]
    if not model:
        raise exits.UsageError(
            f"run {name} has no tuned model; name a run that has one (`tunedrop runs`), or a model's id"
        )
    return str(model)


def with_model(dataset: DatasetFolder, model: str, folder: Path) -> DatasetFolder:
    """The dataset with its recipe changed, in `folder`, so that nothing is trained and `model` is evaluated.

    Raises:
        UsageError: the recipe cannot be read.
    """

    def evaluating(written: Mapping[str, Any]) -> dict[str, Any]:
        return {**{name: value for name, value in written.items() if name != "resumes"}, "evaluate_only": model}

    return dataset.with_recipe(folder, evaluating)


def kept_model(model: str) -> dict[str, Any] | None:
    """The tuned model of this id that an earlier run on this machine left behind; None for any other."""
    from local.command.following import KEPT_MODEL

    for path in places.RUNS.glob(f"*/{KEPT_MODEL}"):
        shown: dict[str, Any] = json.loads(path.read_bytes())
        if shown["model"] == model:
            return shown
    return None
