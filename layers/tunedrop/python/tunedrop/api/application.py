"""The API's routes: each parses by its models, makes one call into the package, and answers a document."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel

from tunedrop import catalog, clock, identity
from tunedrop.api import documents, problems, validations, views
from tunedrop.api.callers import team_of, user_arn_of
from tunedrop.api.datasets import UPLOAD_SECONDS, new_upload
from tunedrop.api.idempotency import Claims
from tunedrop.api.openapi import configure, described
from tunedrop.api.paging import key_of, token_of
from tunedrop.api.problems import Problem
from tunedrop.api.settings import ApiSettings
from tunedrop.api.starting import source_of, start_run
from tunedrop.api.stopping import decide, stop
from tunedrop.graders.kinds import KINDS
from tunedrop.outcomes import RunNotFound
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.record import RunRecord
from tunedrop.teams import Team

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

LINK_SECONDS = 900
"""How long a link to a document in S3 can be opened."""

MOST_STEPS = 1000
"""Steps in one answer: with some twenty metrics each well below the 6 MB that Lambda may answer."""

MOST_FINDINGS_BYTES = 256 * 1024
"""Up to here the dataset's findings are in the answer itself; the link leads to them anyway."""

_SEND_JSON = "Send the body with Content-Type: application/json."

RunId = Annotated[str, Path(description="As in `run_id` of a run.", pattern=r"^[a-z0-9][a-z0-9-]{0,46}$")]
ValidationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,128}$",
        description="Yours to choose, new for each run: for a day the same key and body give the same run.",
    ),
]


TAKE_A_BODY = ("/runs", "/uploads", "/validations")
"""The resources whose POST has a body."""


class JsonResolver(APIGatewayRestResolver):
    """Takes bodies of JSON alone: the framework reads forms, too, and fails at one that it cannot read."""

    def resolve(self, event: Any, context: Any) -> dict[str, Any]:
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_form = media_type == "application/x-www-form-urlencoded" or media_type.startswith("multipart/")
        if is_form and event.get("httpMethod") == "POST" and event.get("resource") in TAKE_A_BODY:
            problem = Problem("media-type-unsupported", _SEND_JSON)
            return {
                "statusCode": problem.status,
                "multiValueHeaders": {"Content-Type": [problems.MEDIA_TYPE]},
                "body": _json(problem.document()),
                "isBase64Encoded": False,
            }
        return super().resolve(event, context)


class Api:
    """What the routes work with: the stack's resources, and the request's team."""

    def __init__(self, app: APIGatewayRestResolver, resources: Resources) -> None:
        self._app = app
        self.resources = resources

    @cached_property
    def settings(self) -> ApiSettings:
        return ApiSettings.from_environment()

    @cached_property
    def claims(self) -> Claims:
        return Claims(self.resources.dynamodb, self.settings.api_table)

    @cached_property
    def validations(self) -> validations.Validations:
        return validations.Validations(self.resources.dynamodb, self.settings.api_table)

    @cached_property
    def presigner(self) -> S3Client:
        """A client whose links are signed by version 4, whatever botocore thinks that the Region's S3 still takes."""
        return boto3.client("s3", config=Config(signature_version="s3v4"))

    @property
    def team(self) -> Team:
        """The caller's. Raises Problem."""
        return team_of(self._app.current_event.raw_event, self.settings.teams)

    def require_team(self) -> None:
        """For what is the same for all teams: who belongs to none is told nothing. Raises Problem."""
        team_of(self._app.current_event.raw_event, self.settings.teams)

    @property
    def caller(self) -> str:
        return user_arn_of(self._app.current_event.raw_event)

    def run(self, run_id: str) -> RunRecord:
        """A run of the caller's team. Raises Problem: not-found for any other."""
        team = self.team
        try:
            record = self.resources.runs.load(run_id) if identity.is_run_id(run_id) else None
        except RunNotFound:
            record = None
        if record is None or record.team != team.name:
            raise problems.run_not_found(run_id)
        return record

    def metrics(self, record: RunRecord) -> list[dict[str, float]]:
        """The metrics of the run's training."""
        return [] if record.job_id is None else self.resources.training_events.metrics(record.run_id)

    def document(self, record: RunRecord) -> documents.RunDocument:
        return documents.RunDocument.model_validate(views.run_document(record, self.metrics(record)))

    def link(self, key: str, *, as_name: str) -> str:
        """A link to an object in the bucket of the runs, for LINK_SECONDS."""
        url: str = self.presigner.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.resources.settings.runs_bucket,
                "Key": key,
                "ResponseContentDisposition": f'inline; filename="{as_name}"',
            },
            ExpiresIn=LINK_SECONDS,
        )
        return url

    def link_if_there(self, run_id: str, name: str) -> str | None:
        """A link to a document of the run's folder; None where it has not been written."""
        folder = self.resources.folder(run_id)
        return self.link(folder.key(name), as_name=name.rpartition("/")[2]) if folder.exists(name) else None


def build(resources: Resources) -> APIGatewayRestResolver:
    """The application: its routes, and what it answers when one of them refuses or fails."""
    app = JsonResolver(enable_validation=True, serializer=_json)
    configure(app)
    api = Api(app, resources)
    _add_runs(app, api)
    _add_documents_of_runs(app, api)
    _add_decisions(app, api)
    _add_the_rest(app, api)
    _add_refusals(app)
    return app


def _add_runs(app: APIGatewayRestResolver, api: Api) -> None:
    @app.post("/runs", **described("startRun", 202, "Start a run.", "startRun"))
    def start(body: documents.RunRequest, key: Key) -> Response[documents.RunDocument]:
        body_as_sent = app.current_event.json_body
        team = api.team
        run_id = start_run(
            body,
            body_as_sent,
            key=key,
            team=team,
            resources=api.resources,
            settings=api.settings,
            claims=api.claims,
        )
        logger.info("run asked for", run_id=run_id, team=team.name)
        return _answer(202, api.document(api.run(run_id)), location=views.run_url(run_id))

    @app.get("/runs", **described("listRuns", 200, "The team's runs, the youngest first.", "list"))
    def list_runs(
        name: Annotated[str | None, Query(max_length=100)] = None,
        status: Annotated[Literal["RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        page: Annotated[str | None, Query(max_length=400, description="`next` of the page before.")] = None,
    ) -> documents.RunList:
        team = api.team.name
        equal = {field: str(value) for field, value in (("name", name), ("status", status)) if value}
        after = key_of(page, team) if page else None
        items, last = api.resources.runs.page_of_team(team, equal, limit=limit, after=after)
        return documents.RunList.model_validate(
            {"runs": [views.summary(item) for item in items], "next": token_of(last)}
        )

    @app.get("/runs/<run_id>", **described("getRun", 200, "A run: where it stands, and what came of it.", "one"))
    def get_run(run_id: RunId) -> documents.RunDocument:
        return api.document(api.run(run_id))


def _add_documents_of_runs(app: APIGatewayRestResolver, api: Api) -> None:
    @app.get("/runs/<run_id>/metrics", **described("getMetrics", 200, "The metrics of the training's steps.", "one"))
    def get_metrics(
        run_id: RunId,
        after: Annotated[int, Query(ge=0, le=10**9, description="Steps after this one.")] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_STEPS)] = MOST_STEPS,
    ) -> documents.Metrics:
        record = api.run(run_id)
        steps = [each for each in api.metrics(record) if each["step"] > after]
        return documents.Metrics(
            run_id=run_id,
            simulated=bool((record.training or {}).get("simulated", False)),
            steps=steps[:limit],
            next_after=int(steps[limit - 1]["step"]) if len(steps) > limit else None,
        )

    @app.get("/runs/<run_id>/findings", **described("getFindings", 200, "What was found.", "one"))
    def get_findings(run_id: RunId) -> documents.Findings:
        record = api.run(run_id)
        link = api.link_if_there(run_id, names.FINDINGS)
        dataset = _small_json(api, run_id, names.FINDINGS) if link else None
        return documents.Findings(
            run_id=run_id,
            dataset=dataset["findings"] if dataset else None,
            dataset_counts=dataset["counts"] if dataset else None,
            dataset_link=link,
            rehearsal=(record.rehearsal or {}).get("findings"),
            training=(record.training or {}).get("findings"),
            link_expires_at=clock.seconds_from_now(LINK_SECONDS) if link else None,
        )

    @app.get("/runs/<run_id>/report", **described("getReport", 200, "Links to the run's report.", "report"))
    def get_report(run_id: RunId) -> documents.Report:
        record = api.run(run_id)
        if record.report_uri is None:
            raise Problem("not-ready", f"Run {run_id} has no report yet: it is written when the run ends.")
        return documents.Report(
            run_id=run_id,
            page=api.link_if_there(run_id, names.REPORT_PAGE),
            json_document=api.link_if_there(run_id, names.REPORT),
            model_card=api.link_if_there(run_id, names.MODEL_CARD),
            expires_at=clock.seconds_from_now(LINK_SECONDS),
        )


def _add_decisions(app: APIGatewayRestResolver, api: Api) -> None:
    @app.post("/runs/<run_id>/stop", **described("stopRun", 202, "Stop a run; its notice says CANCELLED.", "change"))
    def stop_run(run_id: RunId) -> Response[documents.RunDocument]:
        record = api.run(run_id)
        stop(record, api.resources.stepfunctions, by=api.caller)
        return _answer(202, api.document(api.run(run_id)), location=views.run_url(run_id))

    @app.post(
        "/runs/<run_id>/approve",
        **described("approveRun", 202, "Approve the promotion that a run waits with.", "change"),
    )
    def approve(run_id: RunId) -> Response[documents.RunDocument]:
        return decided(run_id, approved=True)

    @app.post(
        "/runs/<run_id>/reject", **described("rejectRun", 202, "Reject the promotion that a run waits with.", "change")
    )
    def reject(run_id: RunId) -> Response[documents.RunDocument]:
        return decided(run_id, approved=False)

    def decided(run_id: str, *, approved: bool) -> Response[documents.RunDocument]:
        record = api.run(run_id)
        decide(record, api.resources.stepfunctions, approved=approved, by=api.caller)
        return _answer(202, api.document(record), location=views.run_url(run_id))


def _add_the_rest(app: APIGatewayRestResolver, api: Api) -> None:
    @app.post("/uploads", **described("createUpload", 201, "A place to upload a file to.", "create"))
    def create_upload(body: documents.UploadRequest) -> Response[documents.Upload]:
        made = new_upload(api.team, api.presigner, api.resources.settings.dataset_bucket, body.bytes)
        expires_at = clock.seconds_from_now(UPLOAD_SECONDS)
        return _answer(201, documents.Upload.model_validate({**made, "expires_at": expires_at}))

    @app.post("/validations", **described("startValidation", 202, "Check a dataset without a run.", "start"))
    def start_validation(body: documents.ValidationRequest) -> Response[documents.Validation]:
        team = api.team
        asked = documents.RunRequest(name="validation", dataset=body.dataset, test=body.test, recipe=body.recipe)
        source = source_of(asked, team, resources=api.resources, settings=api.settings)
        validation_id = api.validations.ask(team.name, source)
        api.resources.functions.invoke(
            FunctionName=api.settings.validation_function,
            InvocationType="Event",
            Payload=json.dumps({"validation_id": validation_id}),
        )
        told = api.validations.load(validation_id, team.name)
        document = documents.Validation.model_validate(validations.document(validation_id, told, None))
        return _answer(202, document, location=document.url)

    @app.get("/validations/<validation_id>", **described("getValidation", 200, "A dataset's check.", "one"))
    def get_validation(validation_id: ValidationId) -> documents.Validation:
        told = api.validations.load(validation_id, api.team.name)
        link = None
        if told["result"] is not None and "reason" not in told["result"]:
            link = api.link(validations.findings_key(validation_id), as_name="findings.json")
        return documents.Validation.model_validate(validations.document(validation_id, told, link))

    @app.get("/models", **described("listModels", 200, "The models that can be tuned.", "read"))
    def list_models() -> documents.Models:
        api.require_team()
        region = api.resources.settings.region
        return documents.Models(region=region, models=[_model(each, region) for each in catalog.models()])

    @app.get("/graders", **described("listGraders", 200, "The graders that a recipe can name.", "read"))
    def list_graders() -> documents.Graders:
        api.require_team()
        deployed = api.resources.settings.graders
        return documents.Graders(
            graders=[
                documents.GraderDocument(kind=kind, version_arn=deployed[kind]) for kind in KINDS if kind in deployed
            ]
        )


def _add_refusals(app: APIGatewayRestResolver) -> None:
    def on(kind: type[Exception]) -> Callable[..., Any]:
        handler: Callable[..., Any] = app.exception_handler(kind)
        return handler

    @on(Problem)
    def refused(problem: Problem) -> Response[Any]:
        logger.info("refused", problem=problem.kind)
        return _refusal(problem)

    @on(NotFoundError)
    def no_such_route(_: NotFoundError) -> Response[Any]:
        return _refusal(Problem("not-found", "There is no such resource; docs/api.md lists them."))

    @on(RequestUnsupportedContentType)
    def no_json(_: RequestUnsupportedContentType) -> Response[Any]:
        return _refusal(Problem("media-type-unsupported", _SEND_JSON))

    @on(RequestValidationError)
    def invalid(error: RequestValidationError) -> Response[Any]:
        return _refusal(_problem_of(error))

    @on(ClientError)
    @on(BotoCoreError)
    def unavailable(error: Exception) -> Response[Any]:
        logger.exception("a service refused or did not answer", error=str(error))
        return _refusal(
            Problem("unavailable", "Try again in a moment; with the same Idempotency-Key nothing is doubled.")
        )

    @on(Exception)
    def failed(error: Exception) -> Response[Any]:
        logger.exception("a route failed", error=str(error))
        return _refusal(Problem("internal", "The log of this request has the reason."))


def _problem_of(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("request-malformed", "The body must be one JSON object.")
    missing = [
        each for each in found if each["type"] == "missing" and str(each["loc"][-1]).lower() == "idempotency-key"
    ]
    if missing:
        return Problem("idempotency-key-missing", "Send a new key for each run, and the same one for each try of it.")
    told = [
        {"field": ".".join(str(part) for part in each["loc"]), "expected": str(each.get("msg", each["type"]))}
        for each in found[:20]
    ]
    return Problem("request-invalid", "; ".join(f"{each['field']}: {each['expected']}" for each in told), errors=told)


def _refusal(problem: Problem) -> Response[Any]:
    return Response(problem.status, content_type=problems.MEDIA_TYPE, body=_json(problem.document()))


def _answer(status: int, document: BaseModel, *, location: str | None = None) -> Response[Any]:
    return Response(
        status,
        content_type="application/json",
        body=document,
        headers={"Location": location} if location else None,
    )


def _json(document: Any) -> str:
    return json.dumps(document, allow_nan=False)


def _small_json(api: Api, run_id: str, name: str) -> dict[str, Any] | None:
    """A document of the run's folder, if it is small enough for an answer."""
    folder = api.resources.folder(run_id)
    head = api.resources.s3.head_object(Bucket=folder.bucket, Key=folder.key(name))
    if head["ContentLength"] > MOST_FINDINGS_BYTES:
        return None
    document: dict[str, Any] = folder.read_json(name)
    return document


def _model(model: catalog.Model, region: str) -> documents.ModelDocument:
    return documents.ModelDocument(
        id=model.id,
        aliases=list(model.aliases),
        family=str(model.family),
        region=model.region,
        offered_here=model.region == region,
        max_prompt_tokens=model.max_prompt_tokens,
        gives_events=model.gives_events,
        gives_checkpoints=model.gives_checkpoints,
        hyperparameters={
            name: {
                "type": each.kind.__name__,
                "least": each.least,
                "most": each.most,
                "default": each.default,
                "choices": list(each.choices),
            }
            for name, each in model.hyperparameters.items()
        },
    )
