"""The API's routes: each parses by its models, makes one call into the package, and answers a document."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import BaseModel

from tunedrop import catalog, clock
from tunedrop.api import documents, validations, views
from tunedrop.api.context import LINK_SECONDS, Api
from tunedrop.api.datasets import UPLOAD_SECONDS, new_upload
from tunedrop.api.openapi import configure, described
from tunedrop.api.paging import key_of, token_of
from tunedrop.api.problems import Problem
from tunedrop.api.refusals import add_refusals
from tunedrop.api.resolver import JsonResolver, json_text
from tunedrop.api.starting import source_of, start_run
from tunedrop.api.stopping import decide, roll_back, stop
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.validations import findings_key

logger = Logger(child=True)

MOST_STEPS = 1000
"""Steps in one answer: with some twenty metrics each well below the 6 MB that Lambda may answer."""

RunId = Annotated[str, Path(description="As in `run_id` of a run.", pattern=r"^[a-z0-9][a-z0-9-]{0,46}$")]
Why = Annotated[
    str, Query(description="Why: it is kept with the decision.", max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
ValidationId = Annotated[str, Path(description="As POST /validations gave it.", pattern=r"^[0-9a-f]{32}$")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,128}$",
        description="Choose a new one for each run: for a day, the same key and body give the same run.",
    ),
]


def build(resources: Resources) -> APIGatewayRestResolver:
    """The application: its routes, and what it answers when one of them refuses or fails."""
    app = JsonResolver(enable_validation=True, serializer=json_text)
    configure(app)
    api = Api(app, resources)
    _add_runs(app, api)
    _add_documents_of_runs(app, api)
    _add_decisions(app, api)
    _add_the_rest(app, api)
    add_refusals(app)
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
            slots=api.resources.slots,
            by=api.caller,
        )
        logger.info("run asked for", run_id=run_id, team=team.name)
        return _answer(202, api.document(api.run(run_id)), location=api.address(views.run_url(run_id)))

    @app.get("/runs", **described("listRuns", 200, "The team's runs, the newest first.", "list"))
    def list_runs(
        name: Annotated[str | None, Query(max_length=100, description="Only runs of exactly this name.")] = None,
        status: Annotated[
            Literal["RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"] | None,
            Query(description="Only runs of this status."),
        ] = None,
        search: Annotated[str | None, Query(min_length=1, max_length=100, description="A part of the name.")] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="The most runs of a page.")] = 50,
        page: Annotated[str | None, Query(max_length=400, description="`next` of the page before.")] = None,
    ) -> documents.RunList:
        team = api.team.name
        equal = {field: str(value) for field, value in (("name", name), ("status", status)) if value}
        after = key_of(page, team) if page else None
        run_ids, last = api.resources.runs.page_of_team(team, equal, limit=limit, after=after, name_part=search)
        records = api.resources.runs.load_many(run_ids)
        return documents.RunList.model_validate(
            {"runs": [views.summary(record, api.resources.settings) for record in records], "next": token_of(last)}
        )

    @app.get("/runs/<run_id>", **described("getRun", 200, "A run: where it stands, and its result.", "one"))
    def get_run(run_id: RunId) -> documents.RunDocument:
        return api.document(api.run(run_id))


def _add_documents_of_runs(app: APIGatewayRestResolver, api: Api) -> None:
    @app.get("/runs/<run_id>/metrics", **described("getMetrics", 200, "The metrics of the training's steps.", "one"))
    def get_metrics(
        run_id: RunId,
        after: Annotated[int, Query(ge=0, le=10**9, description="Steps after this one.")] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_STEPS, description="The most steps of an answer.")] = MOST_STEPS,
    ) -> documents.Metrics:
        record = api.run(run_id)
        steps = [each for each in api.metrics(record) if each["step"] > after]
        return documents.Metrics(
            run_id=run_id,
            **views.trained(record, api.resources.settings),
            steps=steps[:limit],
            next_after=int(steps[limit - 1]["step"]) if len(steps) > limit else None,
        )

    @app.get("/runs/<run_id>/findings", **described("getFindings", 200, "What was found.", "one"))
    def get_findings(run_id: RunId) -> documents.Findings:
        record = api.run(run_id)
        link = api.link_if_there(run_id, names.FINDINGS)
        dataset = api.dataset_findings(run_id) if link else {}
        return documents.Findings(
            run_id=run_id,
            dataset=dataset.get("findings"),
            dataset_counts=dataset.get("counts"),
            dataset_link=link,
            rehearsal=record.rehearsal.findings,
            rehearsal_link=api.link_if_there(run_id, names.REHEARSAL),
            training=record.training.findings,
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
            rows=api.links_below(run_id, names.REPORT_ROWS),
            expires_at=clock.seconds_from_now(LINK_SECONDS),
        )


def _add_decisions(app: APIGatewayRestResolver, api: Api) -> None:
    @app.post("/runs/<run_id>/stop", **described("stopRun", 202, "Stop a run; its notice says CANCELLED.", "change"))
    def stop_run(run_id: RunId) -> Response[documents.RunDocument]:
        record = api.run(run_id)
        stop(record, api.resources.stepfunctions, api.resources.audit, by=api.caller)
        return _answer(202, api.document(api.run(run_id)), location=api.address(views.run_url(run_id)))

    @app.post(
        "/runs/<run_id>/approve",
        **described("approveRun", 202, "Approve the promotion that a run waits for.", "change"),
    )
    def approve(run_id: RunId, reason: Why = "") -> Response[documents.RunDocument]:
        return decided(run_id, approved=True, reason=reason)

    @app.post(
        "/runs/<run_id>/reject", **described("rejectRun", 202, "Reject the promotion that a run waits for.", "change")
    )
    def reject(run_id: RunId, reason: Why = "") -> Response[documents.RunDocument]:
        return decided(run_id, approved=False, reason=reason)

    @app.post(
        "/runs/<run_id>/rollback",
        **described("rollBackRun", 202, "Put back the model that the run's promotion replaced.", "change"),
    )
    def roll_back_run(run_id: RunId, reason: Why = "") -> Response[documents.RunDocument]:
        record, function = api.run(run_id), api.settings.promote_function
        record = roll_back(record, api.resources, api.team, function, by=api.caller, reason=reason)
        return _answer(202, api.document(record), location=api.address(views.run_url(run_id)))

    def decided(run_id: str, *, approved: bool, reason: str) -> Response[documents.RunDocument]:
        record = api.run(run_id)
        decide(record, api.resources, api.team, approved=approved, by=api.caller, reason=reason)
        return _answer(202, api.document(record), location=api.address(views.run_url(run_id)))


def _add_the_rest(app: APIGatewayRestResolver, api: Api) -> None:
    @app.post("/uploads", **described("createUpload", 201, "Get a URL to upload a file to.", "create"))
    def create_upload(body: documents.UploadRequest) -> Response[documents.Upload]:
        made = new_upload(api.team, api.presigner, api.resources.settings.dataset_bucket, body.bytes)
        expires_at = clock.seconds_from_now(UPLOAD_SECONDS)
        return _answer(201, documents.Upload.model_validate({**made, "expires_at": expires_at}))

    @app.post("/validations", **described("startValidation", 202, "Check a dataset without starting a run.", "start"))
    def start_validation(body: documents.ValidationRequest) -> Response[documents.Validation]:
        team = api.team
        asked = documents.RunRequest(
            name="validation",
            dataset=body.dataset,
            test=body.test,
            recipe=body.recipe,
            recipe_text=body.recipe_text,
        )
        source = source_of(asked, team, resources=api.resources, settings=api.settings)
        validation_id = api.validations.ask(team.name, source)
        api.resources.functions.invoke(
            FunctionName=api.settings.validation_function,
            InvocationType="Event",
            Payload=json.dumps({"validation_id": validation_id}),
        )
        told = api.validation(validation_id)
        document = documents.Validation.model_validate(validations.document(validation_id, told, None))
        return _answer(202, document, location=api.address(document.url))

    @app.get("/validations/<validation_id>", **described("getValidation", 200, "A dataset's check.", "one"))
    def get_validation(validation_id: ValidationId) -> documents.Validation:
        told = api.validation(validation_id)
        link = None
        if told["result"] is not None and "reason" not in told["result"]:
            link = api.link(findings_key(validation_id), as_name="findings.json")
        return documents.Validation.model_validate(validations.document(validation_id, told, link))

    @app.get("/models", **described("listModels", 200, "The models that can be tuned.", "read"))
    def list_models() -> documents.Models:
        api.require_team()
        region = api.resources.settings.region
        return documents.Models(region=region, models=[views.model_document(each, region) for each in catalog.models()])

    @app.get("/graders", **described("listGraders", 200, "The graders that a recipe can name.", "read"))
    def list_graders() -> documents.Graders:
        from tunedrop.graders.kinds import KINDS  # no other route reads it

        api.require_team()
        deployed = api.resources.settings.graders
        return documents.Graders(
            graders=[
                documents.GraderDocument(
                    kind=name, summary=kind.summary, trust=kind.trust, version_arn=deployed[kind.trust]
                )
                for name, kind in KINDS.items()
                if kind.trust in deployed
            ]
        )


def _answer(status: int, document: BaseModel, *, location: str | None = None) -> Response[Any]:
    return Response(
        status,
        content_type="application/json",
        body=document,
        headers={"Location": location} if location else None,
    )
