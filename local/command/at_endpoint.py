"""The options and the outputs of `rehearse` and `evaluate` for real models at an endpoint of the user's own."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.command import exits, own_grader, places
from local.command.dataset_folder import DatasetFolder
from local.command.differences import p_value
from local.command.printable import say

if TYPE_CHECKING:
    from local.endpoint.dataset import Rows
    from local.endpoint.model import ServedModel

HELP = """\
a real model:
  --endpoint URL --model ID    any OpenAI-compatible endpoint: Ollama, vLLM, llama.cpp, a gateway; if it wants a key,
                               set OPENAI_API_KEY
  --bedrock                    the recipe's model at Bedrock, with this shell's AWS credentials; AWS charges for it
  The answers are the model's own, and the recipe's grader grades them on this machine. Nothing is trained."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where a real model is."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--endpoint", metavar="URL", help="ask a real model at this OpenAI-compatible endpoint")
    where.add_argument(
        "--bedrock", action="store_true", help="ask the real model at Bedrock; AWS charges for its tokens"
    )


def wanted(arguments: argparse.Namespace) -> bool:
    """Whether a real model is to be asked."""
    return bool(arguments.endpoint or arguments.bedrock)


def rehearse(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Rehearse with a real model; what `tunedrop rehearse` tells.

    Raises:
        UsageError: the recipe or its grader cannot be used here, or the model is not named.
    """
    from local.endpoint.rehearsal import rehearse_at

    rows = _rows(folder, arguments)
    model = _model(rows, arguments, arguments.model, "--model")
    with _recipe_errors_told():
        told, document = rehearse_at(model, rows)
    from local.command.rehearsal_page import REHEARSAL, write_page

    kept = _kept("rehearsals", folder)
    (kept / REHEARSAL).write_text(json.dumps(document or told, ensure_ascii=False, indent=1))
    recipe = rows.recipe.model_dump(mode="json")
    page = write_page(kept, told, name=folder.resolve().name, recipe=recipe, what_is_real=sentence(told))
    return {**told, "folder": f"{places.shown(kept)}/", "page": places.shown(page) if page else None}


def evaluate(model_id: str, folder: Path, arguments: argparse.Namespace) -> int:
    """Compare two real models on the folder's test rows; 0 whatever came of it, 1 if too few answers could be graded.

    Raises:
        UsageError: as `rehearse`, or the dataset is not valid.
    """
    from local.endpoint.evaluation import compare_at
    from tunedrop.outcomes import EvaluationIncomplete, ServiceBusy

    rows = _rows(folder, arguments)
    if rows.errors:
        raise exits.UsageError(f"{folder} is not valid: {rows.errors[0]}; look with `tunedrop validate {folder}`")
    base = _model(rows, arguments, arguments.base, "--base")
    second = _model(rows, arguments, model_id, "MODEL")
    with _recipe_errors_told():
        try:
            result, answers = compare_at(base, second, rows, most=arguments.rows)
        except (EvaluationIncomplete, ServiceBusy) as error:
            raise exits.CommandError(f"{type(error).__name__}: {error}") from None
    kept = _kept("evaluations", folder)
    (kept / "result.json").write_text(json.dumps(result, ensure_ascii=False, indent=1))
    (kept / "answers.jsonl").write_bytes(answers)
    if arguments.json:
        print(json.dumps({**result, "folder": f"{places.shown(kept)}/"}, ensure_ascii=False))
    else:
        _show(result, kept)
    return exits.SUCCEEDED


def sentence(told: Mapping[str, Any]) -> str:
    """What is real and what is not, for people."""
    if told.get("rehearsal", True) is None:
        return "No answer was graded."
    if told["simulated"]:
        return "Simulated: the model's answers come from this machine's simulation. The grader is the deployed one."
    return (
        f"Real: the answers of {' and of '.join(told['answers_from'])}, graded on {told['graded_on']}. "
        "Nothing was trained and nothing is simulated."
    )


def _show(result: Mapping[str, Any], kept: Path) -> None:
    reward = result["comparison"]["reward"]
    say(result["sentence"])
    for name, side in (("base", "first"), ("model", "second")):
        figures = reward[side]
        candidate = result["candidates"]["base" if name == "base" else "tuned"]
        print(
            f"{name:<6} {candidate['model']}: mean reward {figures['mean']:.3f} "
            f"(95% interval {figures['low']:.3f} to {figures['high']:.3f})"
        )
    print(
        f"difference {reward['difference']:+.3f} ({reward['low']:+.3f} to {reward['high']:+.3f}), "
        f"{p_value(reward['p_value'])}, {result['comparison']['pairs']:,} rows"
    )
    say(sentence(result))
    say(f"Every answer: {places.shown(kept / 'answers.jsonl')}")


def _rows(folder: Path, arguments: argparse.Namespace) -> Rows:
    from local.endpoint.dataset import read_rows
    from tunedrop.graders.own_file import FOLDER_VARIABLE
    from tunedrop.identity import TEST_NAMES

    given = getattr(arguments, "grader_file", None)
    with own_grader.with_own_grader(DatasetFolder.open(folder), given) as (dataset, files):
        tests = [each for each in dataset.siblings if each.name in TEST_NAMES]
        recipes = [each for each in dataset.siblings if each.name not in TEST_NAMES]
        for several, what in ((tests, "test files"), (recipes, "recipes")):
            if len(several) > 1:
                raise exits.UsageError(f"{folder} holds several {what}; keep one")
        os.environ[FOLDER_VARIABLE] = str(files[0].parent.resolve() if files else places.OWN_GRADERS)
        with _recipe_errors_told():
            return read_rows(
                dataset.train, tests[0] if tests else None, recipes[0] if recipes else None, region=dataset.region
            )


def _model(rows: Rows, arguments: argparse.Namespace, model_id: str | None, option: str) -> ServedModel:
    from local.endpoint.model import ServedModel

    if arguments.bedrock:
        _require_credentials()
        at_bedrock = ServedModel.at_bedrock(rows.recipe.catalog_model)
        return ServedModel(model_id, at_bedrock.endpoint, at_bedrock.region) if model_id else at_bedrock
    if model_id is None:
        raise exits.UsageError(f"name the model that {arguments.endpoint} serves: {option} ID")
    if not arguments.endpoint.startswith(("http://", "https://")):
        raise exits.UsageError(f"--endpoint takes a URL such as http://127.0.0.1:11434/v1; got {arguments.endpoint!r}")
    return ServedModel(model_id, arguments.endpoint.rstrip("/"))


def _require_credentials() -> None:
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        found = botocore.session.Session().get_credentials()
    except BotoCoreError as error:
        raise exits.UsageError(f"--bedrock needs AWS credentials: {error}") from None
    if found is None:
        raise exits.UsageError("--bedrock needs AWS credentials, and there are none; log in as you do for the AWS CLI")


@contextmanager
def _recipe_errors_told() -> Iterator[None]:
    """A recipe that cannot be used is an error of the command line."""
    from tunedrop.outcomes import RecipeInvalid

    try:
        yield
    except RecipeInvalid as error:
        raise exits.UsageError(str(error)) from None


def _kept(what: str, folder: Path) -> Path:
    kept = places.BUILD / what / f"{folder.resolve().name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    kept.mkdir(parents=True, exist_ok=True)
    return kept
