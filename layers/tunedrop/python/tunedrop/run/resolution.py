"""Deciding what a run is made of, once: a state that runs again finds its decision in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunedrop.graders.kinds import load
from tunedrop.graders.sample import OptionsError
from tunedrop.outcomes import InputMissing, RecipeInvalid
from tunedrop.recipe import RECIPE_BYTES, Recipe, parse, resolve
from tunedrop.run.inputs import pin_recipe, pin_test, pin_upload, read
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.store import RunStore
from tunedrop.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def resolve_inputs(run_id: str, *, store: RunStore, s3: S3Client, settings: Settings) -> RunRecord:
    """Pin the versions of train, test and recipe, resolve the recipe, and pin the grader's published version.

    Raises:
        InputMissing: the training file's version is gone, or there are several recipes.
        RecipeInvalid: names every field that is wrong.
        RunReleased: the run was stopped meanwhile.
    """
    record = store.load(run_id)
    if record.recipe is not None:
        return record
    source = record.source
    if source.get("kind") != "upload":
        raise InputMissing(f"run {run_id} was started without a dataset: drop a train.jsonl into the inbox.")
    train = pin_upload(s3, source["bucket"], source["key"], source["version_id"])
    test = pin_test(s3, train)
    recipe_file = pin_recipe(s3, train)
    # Saved before the recipe is read, so that the notice of a broken recipe names what it was found beside.
    pins = {"train": train, "test": test, "recipe_file": recipe_file}
    store.update(run_id, {name: _item(pinned) for name, pinned in pins.items()} | {"stage": "ResolveInputs"})
    recipe = _recipe(s3, recipe_file, settings.region)
    return store.update(run_id, {"recipe": recipe.model_dump(mode="json"), "grader_arn": _grader(recipe, settings)})


def _recipe(s3: S3Client, recipe_file: PinnedObject | None, region: str) -> Recipe:
    if recipe_file is None:
        return resolve({}, region)
    name = recipe_file.key.rpartition("/")[2]
    return resolve(parse(read(s3, recipe_file, most_bytes=RECIPE_BYTES), name), region)


def _grader(recipe: Recipe, settings: Settings) -> str:
    arn = settings.graders.get(recipe.grader.kind)
    if arn is None:
        raise RecipeInvalid(
            f"recipe field `grader.kind`: {recipe.grader.kind!r} is not deployed with this stack; "
            f"deployed are {', '.join(sorted(settings.graders)) or 'none'}"
        )
    try:
        load(recipe.grader.kind, recipe.grader.options)
    except OptionsError as error:
        raise RecipeInvalid(f"recipe field `grader.options`: {error}") from None
    return arn


def _item(pinned: PinnedObject | None) -> dict[str, str | int] | None:
    if pinned is None:
        return None
    return {
        "bucket": pinned.bucket,
        "key": pinned.key,
        "version_id": pinned.version_id,
        "bytes": pinned.bytes,
    }
