"""A stack in memory with runs that ended long ago, and all that they left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3

from tests.unit.states.simulated_service import Clock, SimulatedService
from tunedrop import clock as tunedrop_clock
from tunedrop.audit import AuditTrail
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import Status
from tunedrop.recipe_resolution import resolve
from tunedrop.retention.rules import Retention
from tunedrop.retention.sweep import PASS_EVERY, RetentionSweep
from tunedrop.run.folder import RunFolder
from tunedrop.run.models import Models
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.store import RunStore
from tunedrop.training.backend import TrainingEvent
from tunedrop.training.events import TrainingEvents

NOVA = "amazon.nova-2-lite-v1:0:256k"
ALL = '{"datasets_days": 10, "training_files_days": 20, "models_days": 30, "runs_days": 40, "notice_days": 5}'
PATH = "/tunedrop/dev"
SCHEMAS: Mapping[str, tuple[str, ...]] = {"runs": ("run_id",), "api": ("id",), "events": ("run_id", "event_id")}


class Notices:
    """The topic: what was published, once for each id."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, *, TopicArn: str, **publication: Any) -> None:
        assert TopicArn == "topic"
        self.published.append(document_of(publication))

    @property
    def told(self) -> dict[tuple[str, str], str]:
        """What was announced: for each run and kind, from when on."""
        return {
            (run["run_id"], each["what"]): each["at"]
            for document in self.published
            for run in document["runs"]
            for each in run["deletes"]
        }


class Stack:
    """What the sweep needs of a stack; `service` trains, `clock` moves when it is told to."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.service = SimulatedService(clock)
        self.service.deploys = True
        self.dynamodb, self.s3, self.ssm = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("ssm")
        for name, keys in SCHEMAS.items():
            schema = [
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ]
            attributes = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
            index = {"GlobalSecondaryIndexes": [_UNFINISHED]} if name == "runs" else {}
            attributes += [{"AttributeName": "unfinished", "AttributeType": "S"}] if index else []
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=schema,  # type: ignore[arg-type] # plain dictionaries
                AttributeDefinitions=attributes,  # type: ignore[arg-type] # the same
                BillingMode="PAY_PER_REQUEST",
                **index,  # type: ignore[arg-type] # the same
            )
        for bucket in ("drop", "folders"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.runs = RunStore(self.dynamodb, "runs")
        self.events = TrainingEvents(self.dynamodb, "events")
        self.models = Models(self.dynamodb, "api", self.runs)
        self.notices = Notices()

    def sweep(self, retention: str = ALL) -> list[str]:
        """One sweep, when the next pass is due; its troubles."""
        self.clock.sleep(PASS_EVERY.total_seconds())
        return RetentionSweep(Retention.parse(retention), self.resources()).run()

    def resources(self) -> Any:
        """The stack's resources, as far as a sweep needs them."""
        settings = SimpleNamespace(
            api_table="api",
            runs_table="runs",
            region="us-west-2",
            dataset_bucket="drop",
            runs_bucket="folders",
            parameter_path=PATH,
        )
        return SimpleNamespace(
            dynamodb=self.dynamodb,
            s3=self.s3,
            ssm=self.ssm,
            sns=self.notices,
            runs=self.runs,
            models=self.models,
            audit=AuditTrail(self.s3, "folders"),
            training_events=self.events,
            folder=lambda run_id: RunFolder(self.s3, "folders", run_id),
            backend=lambda record: self.service,
            settings=settings,
        )

    def days(self, number: float) -> None:
        """Let time pass."""
        self.clock.sleep(number * 86_400)

    def drop(self, run_id: str, name: str, text: str = "row") -> PinnedObject:
        """Put a file beside the run's training file."""
        key = f"inbox/{run_id}/{name}"
        version = self.s3.put_object(Bucket="drop", Key=key, Body=text.encode())["VersionId"]
        return PinnedObject("drop", key, version, len(text))

    def ended(self, run_id: str, *, model: str = "", days_ago: float = 0, **fields: Any) -> RunRecord:
        """A run that ended so long ago, with everything that a run leaves behind."""
        recipe = resolve({"model": model} if model else {}, "us-east-1" if model == NOVA else "us-west-2")
        train, test = self.drop(run_id, "train.jsonl"), self.drop(run_id, "test.jsonl")
        ended = tunedrop_clock.text(self.clock.now() - timedelta(days=days_ago))
        record = RunRecord(
            run_id=run_id,
            name=run_id,
            execution_arn="arn",
            status=Status.SUCCEEDED,
            started_at=ended,
            updated_at=ended,
            source={"kind": "upload", "bucket": "drop", "key": train.key, "version_id": train.version_id},
            train=train,
            test=test,
            recipe_document=recipe.model_dump(mode="json"),
            file_id=f"file-of-{run_id}",
            tuned_model=f"model-of-{run_id}",
            notice={"Subject": "ended"},
            finished_at=ended,
            notified_at=ended,
            unfinished=None,
        )
        record = self.runs.register(replace(record, **fields))
        self.service.files_by_id[f"file-of-{run_id}"] = run_id
        self.service.models.add(f"model-of-{run_id}")
        self.service.deployed[run_id] = self.clock.now()
        self.models.made(f"model-of-{run_id}", run_id)
        self.events.keep(run_id, [TrainingEvent(f"event-{run_id}", 1, "info", "Step 1", 1, {"reward": 0.5})])
        for name in ("train.jsonl", "report.json", "evaluation/answers/0/0.jsonl"):
            self.s3.put_object(Bucket="folders", Key=f"runs/{run_id}/{name}", Body=b"{}")
        return record

    def promote(self, name: str, value: str) -> None:
        """Put a model's id into a parameter of the stack."""
        self.ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="String", Overwrite=True)

    def left(self) -> set[str]:
        """All that is there of any run, a word for each."""
        records, _ = self.runs.page(None, limit=1000)
        listed = [self.s3.list_objects_v2(Bucket=bucket).get("Contents", []) for bucket in ("drop", "folders")]
        folders = {each["Key"].split("/")[1] for each in listed[1] if each["Key"].startswith("runs/")}
        return {
            *(f"record {each.run_id}" for each in records),
            *(f"folder {run_id}" for run_id in folders),
            *(f"file {run_id}" for run_id in self.service.files_by_id.values()),
            *(model.replace("-of-", " ") for model in self.service.models),
            *(each["Key"].removeprefix("inbox/") for each in listed[0]),
            *(f"events {item['run_id']['S']}" for item in self.dynamodb.scan(TableName="events")["Items"]),
        }

    def trail(self) -> dict[str, str]:
        """The audit trail: when each thing happened, by run and what."""
        listed = self.s3.list_objects_v2(Bucket="folders", Prefix="audit/").get("Contents", [])
        names = [each["Key"].rpartition("/")[2].removesuffix(".json").split("Z-", 1) for each in listed]
        assert len({name for _, name in names}) == len(names), "a thing happened twice"
        return {name: at for at, name in names}

    @property
    def now(self) -> datetime:
        return self.clock.now()


_UNFINISHED: Mapping[str, Any] = {
    "IndexName": "unfinished",
    "KeySchema": [{"AttributeName": "unfinished", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def all_of(run_id: str) -> set[str]:
    """Everything that `Stack.ended` makes for a run, as `Stack.left` names it."""
    things = {f"{thing} {run_id}" for thing in ("record", "folder", "file", "model", "events")}
    return things | {f"{run_id}/train.jsonl", f"{run_id}/test.jsonl"}
