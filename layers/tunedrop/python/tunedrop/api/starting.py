"""Starting a run by a call: its record is written before its execution begins, so that it is there at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunedrop import clock, identity
from tunedrop.api.datasets import Place, place_of, recipe_key, require_upload
from tunedrop.api.documents import RunRequest
from tunedrop.api.idempotency import Claims
from tunedrop.api.problems import Problem, invalid
from tunedrop.api.settings import ApiSettings
from tunedrop.limits.quota import Slots
from tunedrop.outcomes import InputMissing, LimitExceeded, RecipeInvalid, RunNotFound, Status, TooManyRuns
from tunedrop.recipe_text import parse
from tunedrop.resources import Resources
from tunedrop.run.inputs import pin_recipe_named
from tunedrop.run.record import RunRecord
from tunedrop.run.registration import begin_execution
from tunedrop.teams import Team, principal_arn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def start_run(
    request: RunRequest,
    body: Mapping[str, Any],
    *,
    key: str,
    team: Team,
    resources: Resources,
    settings: ApiSettings,
    claims: Claims,
    slots: Slots,
    by: str,
) -> str:
    """Start the run that `request` asks for, or find the one that the same key and body started; its id.

    Raises:
        Problem: the request is refused; nothing was started.
    """
    run_id = claims.run_of(team.name, key, body)
    source = {**source_of(request, team, resources=resources, settings=settings), "by": principal_arn(by)}
    if run_id is None:
        run_id = claims.claim(team.name, key, body, identity.new_run_id(request.name))
    # A request that is refused here can be sent again with its key: then the key's run begins.
    if not resources.runs.load_many([run_id]):
        try:
            slots.take(team.name, run_id, settings.team_run_quota)
        except TooManyRuns as many:
            raise Problem("too-many-runs", str(many), active=many.active, quota=many.quota) from None
    begin(run_id, request.name, team.name, source, resources=resources, pipeline_arn=settings.pipeline_arn)
    return run_id


def source_of(request: RunRequest, team: Team, *, resources: Resources, settings: ApiSettings) -> dict[str, Any]:
    """What the run is made from, as its record keeps it.

    Raises:
        Problem: dataset-not-allowed, upload-unknown, recipe-invalid, request-invalid.
    """
    bucket = resources.settings.dataset_bucket
    source: dict[str, Any] = {"kind": "call"}
    if request.dataset is None and (request.resumes is None or request.test is not None):
        raise invalid(
            [{"field": "dataset", "expected": "expected a dataset, or `resumes` without `test`; got neither"}]
        )
    for name, reference in (("dataset", request.dataset), ("test", request.test)):
        if reference is None:
            continue
        place = place_of(reference, team, teams=settings.teams, dataset_bucket=bucket)
        require_upload(reference, place, resources.s3)
        source |= place.to_json() if name == "dataset" else {"test": place.to_json()}
    source |= recipe_source(request, team, resources.s3, bucket)
    overrides = {name: value for name in ("evaluate_only", "labels") if (value := getattr(request, name)) is not None}
    resumes = request.resumes or (source.get("recipe") or {}).get("resumes")
    if resumes:
        overrides["resumes"] = _require_own(str(resumes), team, resources)
        if request.dataset is None:
            source["resumes"] = overrides.pop("resumes")
    if overrides:
        source["overrides"] = overrides
    if "recipe_file" not in source and "resumes" not in source:
        check_recipe({**source.get("recipe", {}), **overrides}, resources, team.name)
    return source


def recipe_source(request: RunRequest, team: Team, s3: S3Client, bucket: str) -> dict[str, Any]:
    """The recipe of a request as a record's source keeps it: inline, or the file that it names.

    Raises:
        Problem: request-invalid: there are two recipes; recipe-invalid: the text cannot be read, or the team has no
            recipe of that name.
    """
    recipe = request.recipe
    if request.recipe_text is not None:
        if recipe is not None:
            raise invalid([{"field": "recipe_text", "expected": "expected `recipe` or `recipe_text`; got both"}])
        return {"recipe": _recipe_of_text(request.recipe_text)}
    if recipe is None:
        return {}
    if isinstance(recipe, Mapping):
        return {"recipe": dict(recipe)}
    try:
        pinned = pin_recipe_named(s3, bucket, recipe_key(team, recipe))
    except InputMissing as error:
        raise Problem("recipe-invalid", str(error)) from None
    return {"recipe_file": Place(pinned.bucket, pinned.key).to_json()}


def _recipe_of_text(text: str) -> dict[str, Any]:
    """What a recipe file says, with the line in what is refused. Raises Problem: recipe-invalid."""
    written = text.encode()
    try:
        return dict(parse(written, "recipe.yaml"))
    except RecipeInvalid as error:
        if not text.lstrip().startswith("{"):
            raise Problem("recipe-invalid", str(error)) from None
    try:
        return dict(parse(written, "recipe.json"))
    except RecipeInvalid as error:
        raise Problem("recipe-invalid", str(error)) from None


def check_recipe(document: Mapping[str, Any], resources: Resources, team: str) -> None:
    """Say at once what is wrong with a recipe of the team. Raises Problem: recipe-invalid, limit-exceeded."""
    # The models of a recipe take a while to build, and most requests bring no recipe.
    from tunedrop.recipe_grader import grader_of
    from tunedrop.recipe_resolution import resolve

    settings = resources.settings
    try:
        path = resources.teams.promotion_path(settings.parameter_path, team)
        recipe = resolve(document, settings.region, parameter_path=path)
        grader_of(recipe)
        resources.limits.held(recipe, document, team)
    except RecipeInvalid as error:
        raise Problem("recipe-invalid", str(error)) from None
    except LimitExceeded as error:
        raise Problem("limit-exceeded", str(error)) from None


def begin(
    run_id: str, name: str, team: str, source: Mapping[str, Any], *, resources: Resources, pipeline_arn: str
) -> None:
    """Write the run's record and start its execution; a second time changes nothing."""
    now = clock.now_text()
    resources.runs.register(
        RunRecord(
            run_id=run_id,
            name=name,
            team=team,
            execution_arn=identity.execution_arn(pipeline_arn, run_id),
            status=Status.RUNNING,
            started_at=now,
            updated_at=now,
            source=source,
        )
    )
    begin_execution(run_id, resources.stepfunctions, pipeline_arn)


def _require_own(run_id: str, team: Team, resources: Resources) -> str:
    """The earlier run, if it is the team's. Raises Problem: recipe-invalid, in the same words for any other."""
    try:
        record = resources.runs.load(run_id) if identity.is_run_id(run_id) else None
    except RunNotFound:
        record = None
    if record is None or record.team != team.name:
        raise Problem("recipe-invalid", f"resumes: your team has no run {run_id!r}")
    return run_id
