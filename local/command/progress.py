"""How far a run is: read from its record, its execution's history, its training events and its answers so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from tunedrop.outcomes import RunNotFound
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.stages import ORDER, STAGE_OF_STATE
from tunedrop.training.events import TrainingEvents

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

_EVALUATION = "EvaluateShards"
_TRAINING = "PollJob"


@dataclass(slots=True)
class Span:
    """When a stage was first entered and last left; `left` is None while it works."""

    entered: datetime
    left: datetime | None = None
    failures: int = 0
    """How often the state failed since it was entered, and was or will be tried again."""
    last_failure: str = ""


@dataclass(slots=True)
class Answers:
    """One candidate's answers so far. `judged` are those that the grader called right or wrong."""

    wanted: int
    got: int = 0
    judged: int = 0
    right: int = 0

    @property
    def accuracy(self) -> float | None:
        return self.right / self.judged if self.judged else None


@dataclass(slots=True)
class Progress:
    """A run at one moment. What is not there yet is None or empty; `metrics` is one mapping a training step."""

    run_id: str
    record: RunRecord | None = None
    execution_status: str | None = None
    error: str | None = None
    spans: Mapping[str, Span] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, float]] = ()
    answers: Mapping[str, Answers] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the execution has ended; the notice may still be on its way."""
        return self.execution_status not in (None, "RUNNING")

    @property
    def last_stage(self) -> str | None:
        """The stage that works, or worked last."""
        return next((name for name in reversed(ORDER) if name in self.spans), None)

    @property
    def failures(self) -> str:
        """How often the state at work failed and is tried again, in a few words; "" where it did not."""
        span = self.spans.get(self.last_stage or "")
        if span is None or self.ended or not span.failures:
            return ""
        times = "once" if span.failures == 1 else f"{span.failures} times"
        return f"failed {times} and is tried again, the last time by {span.last_failure}"

    @property
    def failed_at(self) -> str | None:
        """The stage at which the execution ended other than well; None while it runs, and where it ended well."""
        return self.last_stage if self.ended and self.execution_status != "SUCCEEDED" else None

    @property
    def waits_for_approval(self) -> bool:
        """Whether all is done but a promotion, which waits for a person."""
        return "AskForApproval" in self.spans

    @property
    def notified(self) -> bool:
        return self.record is not None and self.record.notified_at is not None


class ProgressReader:
    """Reads the progress of one run, by the APIs that anyone may call; a part of the answers is read once."""

    def __init__(
        self, run_id: str, *, store: RunStore, events: TrainingEvents, folder: RunFolder, stepfunctions: SFNClient
    ) -> None:
        self._store = store
        self._events = events
        self._folder = folder
        self._stepfunctions = stepfunctions
        self._progress = Progress(run_id)
        self._parts_read: set[str] = set()
        self._read_to_the_end: set[str] = set()

    def read(self) -> Progress:
        """The run as it is now; the same object each time, brought up to date."""
        progress = self._progress
        try:
            execution_arn = self._store.load(progress.run_id).execution_arn
        except RunNotFound:
            return progress
        self._read_execution(execution_arn)
        # After the execution: a state that it has left has written what it found into the record.
        progress.record = self._store.load(progress.run_id)
        if self._has_news(_TRAINING):
            progress.metrics = self._events.metrics(progress.run_id)
        if self._has_news(_EVALUATION):
            self._read_answers()
        return progress

    def _has_news(self, stage: str) -> bool:
        """Whether the stage has begun and was not read to its end yet: it is read once more when it is over."""
        progress = self._progress
        if stage not in progress.spans or stage in self._read_to_the_end:
            return False
        if progress.ended or any(later in progress.spans for later in ORDER[ORDER.index(stage) + 1 :]):
            self._read_to_the_end.add(stage)
        return True

    def _read_execution(self, arn: str) -> None:
        progress = self._progress
        described = self._stepfunctions.describe_execution(executionArn=arn)
        progress.execution_status = described["status"]
        progress.error = described.get("error")
        spans: dict[str, Span] = {}
        pages = self._stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=arn, includeExecutionData=False
        )
        for page in pages:
            for event in page["events"]:
                _place(event, spans)
        # A state whose execution ended in it is never left: it worked until then.
        progress.spans = spans
        if progress.failed_at is not None:
            spans[progress.failed_at].left = described.get("stopDate")

    def _read_answers(self) -> None:
        answers = dict(self._progress.answers)
        for candidate, wanted in self._wanted().items():
            answers.setdefault(candidate, Answers(0)).wanted = wanted
        for name in self._folder.names(names.ANSWERS):
            if name in self._parts_read:
                continue
            for line in self._folder.lines(name):
                answer = orjson.loads(line)
                counted = answers[answer["candidate"]]
                counted.got += 1
                if answer["correct"] is not None:
                    counted.judged += 1
                    counted.right += answer["correct"]
            self._parts_read.add(name)
        self._progress.answers = answers

    def _wanted(self) -> Mapping[str, int]:
        """How many answers each candidate is asked for, by the plan: a later round adds to it."""
        record = self._progress.record
        samples = record.recipe.evaluation.samples if record else 1
        wanted: Counter[str] = Counter()
        for shard in self._folder.read_json(names.PLAN)["shards"]:
            wanted[shard["candidate"]] += shard["rows"] * samples
        return wanted


def reader(
    run_id: str, *, dynamodb: Any, s3: S3Client, stepfunctions: SFNClient, outputs: Mapping[str, str]
) -> ProgressReader:
    """A reader on a stack, by the outputs of its template."""
    return ProgressReader(
        run_id,
        store=RunStore(dynamodb, outputs["RunsTableName"]),
        events=TrainingEvents(dynamodb, outputs["TrainingEventsTableName"]),
        folder=RunFolder(s3, outputs["RunsBucketName"], run_id),
        stepfunctions=stepfunctions,
    )


def _place(event: Mapping[str, Any], spans: dict[str, Span]) -> None:
    """Note a state's entry or exit in its stage's span."""
    if details := event.get("stateEnteredEventDetails"):
        stage = STAGE_OF_STATE.get(details["name"])
        if stage is not None:
            span = spans.setdefault(stage, Span(event["timestamp"]))
            span.left, span.failures, span.last_failure = None, 0, ""
    elif details := event.get("stateExitedEventDetails"):
        stage = STAGE_OF_STATE.get(details["name"])
        if stage in spans:
            spans[stage].left = event["timestamp"]
    elif details := event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails"):
        working = next((span for span in reversed(spans.values()) if span.left is None), None)
        if working is not None:
            working.failures += 1
            working.last_failure = details.get("error", "")
