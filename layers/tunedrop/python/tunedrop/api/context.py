"""What the routes work with: the caller's team and its runs, links, and the stack's resources."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from botocore.config import Config

from tunedrop import identity
from tunedrop.api import documents, problems, views
from tunedrop.api.callers import team_of, user_arn_of
from tunedrop.api.idempotency import Claims
from tunedrop.api.problems import Problem
from tunedrop.api.settings import ApiSettings
from tunedrop.outcomes import RunFileBroken, RunFileMissing, RunNotFound
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.record import RunRecord
from tunedrop.teams import Team
from tunedrop.validations import ValidationNotFound, Validations

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = logging.getLogger(__name__)

LINK_SECONDS = 900
"""How long a link to a document in S3 can be opened."""

MOST_FINDINGS_BYTES = 256 * 1024
"""Up to here the dataset's findings are in the answer itself; the link leads to them anyway."""


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
    def validations(self) -> Validations:
        return Validations(self.resources.dynamodb, self.settings.api_table)

    def validation(self, validation_id: str) -> dict[str, Any]:
        """A validation of the caller's team. Raises Problem where there is none."""
        try:
            return self.validations.load(validation_id, self.team.name)
        except ValidationNotFound as error:
            raise Problem("not-found", str(error)) from None

    @cached_property
    def presigner(self) -> S3Client:
        return presigning_client()

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

    def address(self, url: str) -> str:
        """A place below the API's own URL as the header Location names it: with the stage, or a domain's base path.

        `resource` is the request's route without them, `requestContext.path` its path with them.
        """
        event = self._app.current_event.raw_event
        below = len(event["resource"].strip("/").split("/"))
        path = str(event["requestContext"].get("path") or event["path"]).strip("/").split("/")
        return "/".join(("", *path[:-below])) + url

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
        return documents.RunDocument.model_validate(
            views.run_document(record, self.metrics(record), self.resources.settings)
        )

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

    def links_below(self, run_id: str, prefix: str) -> list[str]:
        """Links to all documents of the run's folder whose names begin so, in the order of their names."""
        folder = self.resources.folder(run_id)
        return [self.link(folder.key(name), as_name=name.rpartition("/")[2]) for name in folder.names(prefix)]

    def dataset_findings(self, run_id: str) -> dict[str, Any]:
        """`findings` and `counts` of the run's dataset; nothing where their file is too large for an answer.

        Nor where it is gone or broken: the rest of the answer is of use without them.
        """
        folder = self.resources.folder(run_id)
        try:
            document = folder.read_json(names.FINDINGS, most_bytes=MOST_FINDINGS_BYTES)
        except (RunFileMissing, RunFileBroken) as error:
            _log.warning("the dataset's findings could not be read: %s", error)
            return {}
        if not isinstance(document, dict):
            return {}
        findings, counts = document.get("findings"), document.get("counts")
        sound = isinstance(findings, list) and all(isinstance(each, dict) for each in findings)
        return {"findings": findings, "counts": counts} if sound and isinstance(counts, dict) else {}


def presigning_client() -> S3Client:
    """A client whose links are signed by version 4 for the bucket's host in its own Region.

    By default botocore signs them for the global host, which answers a new bucket outside us-east-1 with a
    redirect: the signature is for another host, then.
    docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html#VirtualHostingBackwardsCompatibility
    """
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
