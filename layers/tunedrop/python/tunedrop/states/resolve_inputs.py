"""ResolveInputs: pins the versions of the dataset, the recipe and the grader that the run uses.

This is decided once: if the state runs again, it finds the decision in the record.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tunedrop.identity import Upload
from tunedrop.notices import of_run
from tunedrop.outcomes import InputMissing, RecipeInvalid, RepeatedDrop, RunNotFound
from tunedrop.recipe import Recipe
from tunedrop.recipe_grader import trust_of
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import RECIPE_BYTES, parse
from tunedrop.resources import Resources
from tunedrop.run.drops import Drops, drop_of, repeats, stands_for_its_drop
from tunedrop.run.inputs import pin_object, pin_recipe, pin_test, pin_upload, read
from tunedrop.run.lifecycle import legacy
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.uses import note_use
from tunedrop.settings import Settings
from tunedrop.states.decision import Decision
from tunedrop.training.takeover import earlier_run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tunedrop.teams import Team


@dataclass(frozen=True, slots=True)
class Resolved(Decision):
    """The inputs are `resolved`; `notice` says that the run has begun."""

    notice: Mapping[str, Any]


def run(event: Mapping[str, Any], resources: Resources) -> Resolved:
    """Pin the versions of train, test and recipe, resolve the recipe, and pin the grader's published version.

    Input: `run_id`.

    Raises:
        InputMissing: the training file's version or a file that a call names is gone, or there are several recipes.
        RecipeInvalid: the message names every field that is wrong, or says why the run cannot be resumed.
        RepeatedDrop: another run has the same files.
        LimitExceeded: the run asks for more than the operator lets a run use up.
        TooManyRuns: the team has as many active runs as it may have.
        RunReleased: the run was stopped meanwhile.
    """
    record = resources.runs.load(event["run_id"])
    if not record.resolved:
        record = _resolve(record, resources)
    return Resolved("resolved", notice=of_run.started(record))


def _resolve(record: RunRecord, resources: Resources) -> RunRecord:
    store, s3, settings = resources.runs, resources.s3, resources.settings
    run_id, source = record.run_id, record.source
    earlier: RunRecord | None = None
    if source.get("kind") == "upload":
        train = pin_upload(s3, _upload(source))
        test = pin_test(s3, train)
        recipe_file = pin_recipe(s3, train)
        document: Mapping[str, Any] | None = None
    elif source.get("resumes"):
        earlier = earlier_run(store, str(source["resumes"]), record.team)
        if earlier.train is None:
            raise InputMissing(
                f"run {earlier.run_id} has no dataset that a new run could use: start a run with the dataset itself"
            )
        train, test, recipe_file = earlier.train, earlier.test, earlier.recipe_file
        document = {**(earlier.recipe_document or {}), "evaluate_only": "", **source.get("recipe", {})}
        document["resumes"] = earlier.run_id
    elif source.get("bucket"):
        train = pin_object(s3, source)
        test = pin_object(s3, source["test"]) if "test" in source else None
        recipe_file = pin_object(s3, source["recipe_file"]) if "recipe_file" in source else None
        document = None if recipe_file is not None else source.get("recipe", {})
    else:
        raise InputMissing(f"run {run_id} was started without a dataset: drop a train.jsonl into the inbox.")
    # Saved before the recipe is read, so that the notice of a broken recipe names what it was found beside.
    pins = {"train": train, "test": test, "recipe_file": recipe_file}
    store.update(run_id, {**pins, "stage": "ResolveInputs"})
    written = _written(s3, recipe_file) if document is None else document
    asked = {**written, **source.get("overrides", {})}
    path = resources.teams.promotion_path(settings.parameter_path, record.team)
    recipe = resolve(asked, settings.region, parameter_path=path)
    approving = _approving(record, resources)
    if recipe.promotion is not None and recipe.evaluate_only:
        _require_made_here(recipe.evaluate_only, record, resources)
    if recipe.promotion is not None and approving is not None and approving.approval is None:
        recipe = recipe.model_copy(update={"promotion": recipe.promotion.model_copy(update={"approval": True})})
    if recipe.resumes:
        earlier = earlier or earlier_run(store, recipe.resumes, record.team)
        _require_same_model(recipe, earlier)
    models = [each for each in (recipe.evaluate_only, *recipe.evaluation.reference_models) if each]
    note_use(run_id, [earlier, *map(resources.models.maker, models)], store)
    arn = _grader(recipe, settings, earlier)
    if source.get("kind") == "upload":
        _require_new_drop(run_id, resources, train, test, recipe_file)
    team = record.team or ""
    recipe = resources.limits.held(recipe, asked, team)
    if settings.team_run_quota:
        # A run that the API started has its slot already.
        resources.slots.take(team, run_id, settings.team_run_quota)
    rule = None if approving is None or approving.approval is None else asdict(approving.approval)
    changes = {
        "legacy": legacy(resources.bedrock, recipe.catalog_model) if recipe.trains else None,
        "recipe": recipe.model_dump(mode="json"),
        "grader_arn": arn,
        "governed": None if approving is None else "yes",
        "approval_rule": rule,
    }
    record = store.update(run_id, changes)
    resources.audit.note(record)
    return record


def _approving(record: RunRecord, resources: Resources) -> Team | None:
    """The run's team if the stack names approvers for it; then only they approve, and the team's rule says when."""
    team = resources.teams.called(record.team)
    return team if team is not None and team.approvers else None


def _require_made_here(model: str, record: RunRecord, resources: Resources) -> None:
    """Raise RecipeInvalid if no run of the team made the model: such a model may be tested, but not promoted."""
    maker = resources.models.maker(model)
    if maker is None or maker.team != record.team:
        raise RecipeInvalid(
            f"recipe field `promotion`: no run of your team on this stack made {model!r:.200}, and only such models "
            "are promoted; name its run in `resumes`, or leave `promotion` out"
        )


def _require_new_drop(run_id: str, resources: Resources, *files: PinnedObject | None) -> None:
    pinned = [each for each in files if each is not None]
    if not all(each.content for each in pinned):
        return  # S3 does not say what is in them

    def stands(other: str) -> bool:
        try:
            return stands_for_its_drop(resources.runs.load(other))
        except RunNotFound:
            return False

    drops = Drops(resources.dynamodb, os.environ["API_TABLE"])
    holder = drops.claim(drop_of(*pinned), run_id, stands)
    if holder != run_id:
        raise RepeatedDrop(repeats(holder, *pinned))


def _upload(source: Mapping[str, Any]) -> Upload:
    return Upload(*(str(source.get(name) or "") for name in ("bucket", "key", "version_id", "sequencer", "etag")))


def _require_same_model(recipe: Recipe, earlier: RunRecord) -> None:
    if recipe.model != earlier.base_model:
        raise RecipeInvalid(
            f"recipe field `model`: run {earlier.run_id}, which is resumed, tuned {earlier.base_model}; got "
            f"{recipe.model}: name the same model"
        )


def _written(s3: S3Client, recipe_file: PinnedObject | None) -> Mapping[str, Any]:
    """What the recipe file says; empty if there is none."""
    if recipe_file is None:
        return {}
    return parse(read(s3, recipe_file, most_bytes=RECIPE_BYTES), recipe_file.key.rpartition("/")[2])


def _grader(recipe: Recipe, settings: Settings, earlier: RunRecord | None) -> str:
    if recipe.grader.kind_of_rows is None:
        return _own_grader(recipe.grader.function, settings)
    trust = trust_of(recipe)
    arn = settings.graders.get(trust)
    if arn is None:
        raise RecipeInvalid(
            f"recipe field `grader.kind`: {recipe.grader.kind!r} needs the {trust} grader function, which this "
            f"stack does not have; it has {', '.join(sorted(settings.graders)) or 'none'}. Choose a kind that one of "
            "these can run, or ask the stack's operator to deploy the function"
        )
    if earlier is not None and earlier.grader_arn is not None and _function(earlier.grader_arn) == _function(arn):
        # What was trained is graded by the version that trained it.
        return earlier.grader_arn
    return arn


def _function(version_arn: str) -> str:
    return version_arn.rpartition(":")[0]


def _own_grader(arn: str, settings: Settings) -> str:
    """The team's own function, if the stack lets it in. The function's permissions come from the same list."""
    if not any(fnmatchcase(arn, allowed) for allowed in settings.allowed_graders):
        raise RecipeInvalid(
            f"recipe field `grader.function`: {arn} is not in this stack's parameter AllowedGraders, which "
            f"lists {', '.join(settings.allowed_graders) or 'none'}. Name one that is, or ask the stack's operator to "
            "add it"
        )
    return arn
