"""The AWS resources of the stack, as a function has them at hand: each client is made when it is first used."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

# What a function imports stays. Until it has its Resources, nothing of it is looked through for garbage.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tunedrop import clock
from tunedrop.catalog import Family, find
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

    from tunedrop.audit import AuditTrail
    from tunedrop.graders.deployed import DeployedGrader
    from tunedrop.graders.graded import Layout
    from tunedrop.graders.metrics import MetricReader
    from tunedrop.limits.limits import Limits
    from tunedrop.limits.month import Months
    from tunedrop.limits.quota import Slots
    from tunedrop.queue.shares import Shares
    from tunedrop.queue.turns import Turns
    from tunedrop.run.models import Models
    from tunedrop.teams import Teams
    from tunedrop.training.backend import TrainingBackend
    from tunedrop.training.events import TrainingEvents
    from tunedrop.training.health import Gradings

# "standard" retries throttling and passing faults five times with jitter; all calls of Tunedrop may be made twice.
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})

# A grader's batch may take as long as its function's timeout of five minutes; botocore gives up after one by default.
_GRADER = Config(retries={"mode": "standard", "max_attempts": 5}, read_timeout=310)

_GLANCE = Config(retries={"total_max_attempts": 2}, connect_timeout=3, read_timeout=5)


class Resources:
    """Clients and what is built on them. One for the life of a function's process.

    `seconds_left` tells how long the present call may still take; the handler of a state that needs it sets it.
    """

    seconds_left: Callable[[], float]

    def __init__(self) -> None:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_environment()

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return boto3.client("dynamodb", config=_RETRIES)

    @cached_property
    def s3(self) -> S3Client:
        return boto3.client("s3", config=_RETRIES)

    @cached_property
    def ssm(self) -> SSMClient:
        return boto3.client("ssm", config=_RETRIES)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return boto3.client("stepfunctions", config=_RETRIES)

    @cached_property
    def sns(self) -> SNSClient:
        return boto3.client("sns", config=_RETRIES)

    @cached_property
    def bedrock(self) -> BedrockClient:
        """For a look that nobody waits long for."""
        return boto3.client("bedrock", config=_GLANCE)

    @cached_property
    def teams(self) -> Teams:
        from tunedrop.teams import Teams

        return Teams.from_environment()

    @cached_property
    def limits(self) -> Limits:
        from tunedrop.limits.limits import Limits

        return Limits.from_environment()

    @cached_property
    def months(self) -> Months:
        """What the teams have used up and reserved."""
        from tunedrop.limits.month import Months

        return Months(self.dynamodb, self.settings.api_table, self.runs)

    @cached_property
    def models(self) -> Models:
        """Which run made which model."""
        from tunedrop.run.models import Models

        return Models(self.dynamodb, self.settings.api_table, self.runs)

    @cached_property
    def audit(self) -> AuditTrail:
        """Where it is kept who did what, and when."""
        from tunedrop.audit import AuditTrail

        return AuditTrail(self.s3, self.settings.runs_bucket)

    @cached_property
    def slots(self) -> Slots:
        """The teams' quotas of active runs."""
        from tunedrop.limits.quota import Slots

        return Slots(self.dynamodb, self.settings.api_table, self.runs)

    @cached_property
    def functions(self) -> LambdaClient:
        return boto3.client("lambda", config=_GRADER)

    @cached_property
    def cloudwatch(self) -> MetricReader:
        client: MetricReader = boto3.client("cloudwatch", config=_RETRIES)
        return client

    @cached_property
    def runs(self) -> RunStore:
        return RunStore(self.dynamodb, self.settings.runs_table)

    @cached_property
    def training_events(self) -> TrainingEvents:
        from tunedrop.training.events import TrainingEvents

        return TrainingEvents(self.dynamodb, self.settings.training_events_table)

    def folder(self, run_id: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.s3, self.settings.runs_bucket, run_id)

    def grader(self, record: RunRecord) -> DeployedGrader:
        """The grader version that the run pinned, asked in the layout that it was found to read."""
        return self.grader_in(record, record.grader_layout or "metadata")

    def grader_in(self, record: RunRecord, layout: Layout) -> DeployedGrader:
        """The grader version that the run pinned, asked in this layout."""
        from tunedrop.graders.deployed import DeployedGrader

        return DeployedGrader(self.functions, record.grader_arn or "", layout, record.reward_range)

    def gradings(self, record: RunRecord) -> Gradings | None:
        """What the run's grader version has graded since the job was submitted; None where that cannot be told now."""
        from tunedrop.graders.metrics import count
        from tunedrop.training.health import Gradings

        if record.submitted_at is None or record.grader_arn is None:
            return None
        try:
            since = clock.parse(record.submitted_at)
            return Gradings(*count(self.cloudwatch, record.grader_arn, since, clock.now()))
        except (BotoCoreError, ClientError):
            # A look at the job must not fail for it; the next one counts again.
            return None

    def shares(self, record: RunRecord) -> Shares:
        """What each evaluation has of the stack's tokens a minute, with the service of the run's model."""
        from tunedrop.queue.shares import Shares

        family, settings = find(record.base_model or "").family, self.settings
        return Shares(self.dynamodb, settings.api_table, str(family), settings.tokens_per_minute)

    def turns(self, record: RunRecord) -> Turns:
        """The line of the runs that train with the service of the run's model."""
        return self.turns_of(find(record.base_model or "").family)

    def turns_of(self, family: Family) -> Turns:
        """The line of the runs that train models of this family."""
        from tunedrop.queue.line import Rules
        from tunedrop.queue.turns import Turns

        settings = self.settings
        rules = Rules(settings.jobs_at_once, probe_seconds=2 * settings.later_poll_seconds)
        return Turns(self.dynamodb, settings.api_table, str(family), rules, self.runs)

    def backend(self, record: RunRecord) -> TrainingBackend:
        """The service that trains the run's model, with a client and a short-term key of its own."""
        from tunedrop.training.backends import backend_for

        return backend_for(find(record.base_model or ""), self.settings)
