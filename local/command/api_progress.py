"""How far a run is, read through the API alone: for runs of any stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from local.command.progress import Progress, Span
from tunedrop import clock
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset, EvaluationResult, RehearsalResult
from tunedrop.stages import ORDER, STAGES
from tunedrop_client import Problem, Unreachable
from tunedrop_client.connection import passes

if TYPE_CHECKING:
    from tunedrop_client import Client
    from tunedrop_client.documents import RunDocument

_OF_A_TRAINING = ("RehearseGrader", "AwaitTurn", "SubmitJob", "PollJob")
_ASKED_FOR = tuple(stage.name for stage in STAGES if stage.optional)


class ApiProgress:
    """Makes the progress of a run from the API's documents; metrics are asked for once a step."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._metrics: list[Mapping[str, float]] = []

    def of(self, run: RunDocument) -> Progress:
        """The run as the view shows it."""
        return Progress(
            run["run_id"],
            record=_record(run),
            execution_status=_execution_status(run["status"]),
            error=run["reason"]["error"] if run["reason"] else None,
            spans=_spans(run),
            metrics=self._steps(run),
        )

    def _steps(self, run: RunDocument) -> Sequence[Mapping[str, float]]:
        training = run["training"]
        known = int(self._metrics[-1]["step"]) if self._metrics else 0
        if training is not None and (training["steps"] or 0) > known:
            try:
                self._metrics += self._client.metrics(run["run_id"], after=known)["steps"]
            except (Problem, Unreachable) as error:
                if not passes(error):
                    raise
        return self._metrics


def _execution_status(status: str) -> str:
    """A run that was rejected is an execution that failed."""
    return {"RUNNING": "RUNNING", "SUCCEEDED": "SUCCEEDED"}.get(status, "FAILED")


def _record(run: RunDocument) -> RunRecord:
    """What the view reads of a record."""
    dataset, training, findings, promotion = run["dataset"], run["training"], run["findings"], run["promotion"]
    recipe = {"model": run["base_model"], "grader": {"kind": run["grader"]}, "promotion": promotion}
    rehearsal: dict[str, Any] = {}
    if run["rehearsal"] is not None:
        rehearsal = {**run["rehearsal"], "findings": [{}] * (findings["rehearsal"] or 0)}
    return RunRecord(
        run_id=run["run_id"],
        name=run["name"],
        execution_arn=run["execution_arn"],
        status=Status(run["status"]),
        started_at=run["started_at"],
        updated_at=run["updated_at"],
        stage=run["state"],
        source={"kind": "call"},
        recipe_document=recipe if run["base_model"] else None,
        dataset=CheckedDataset(dataset["rows"], dataset["test_rows"], warnings=findings["dataset"]),
        rehearsal=RehearsalResult(rehearsal),
        turn=run.get("turn"),
        job_id=training["job_id"] if training else None,
        job_status=training["status"] if training else None,
        evaluation=EvaluationResult(run["evaluation"] or {}),
        finished_at=run["finished_at"],
        notified_at=run["finished_at"],
    )


def _spans(run: RunDocument) -> dict[str, Span]:
    """A stage ends when it last worked, and begins when the one before it ended; the next one works since then."""
    spans: dict[str, Span] = {}
    before = clock.parse(run["started_at"])
    reached = run["reached"]
    last = max((place for place, name in enumerate(ORDER) if name in reached), default=0)
    waits = run["promotion"] is not None and run["promotion"]["state"] == "waiting"
    for place, name in enumerate(ORDER):
        if name in reached:
            ended = max(before, clock.parse(reached[name]))
            spans[name] = Span(before, ended)
            before = ended
        elif name in _ASKED_FOR:
            if waits and name == "AskForApproval":
                spans[name] = Span(before)
        elif name in _OF_A_TRAINING and run["training"] is None and place < last:
            continue  # a run that only evaluates trains nothing
        elif place < last or run["status"] == "SUCCEEDED":
            spans[name] = Span(before, before)
        else:
            at_work = run["status"] == "RUNNING"
            spans[name] = Span(before, None if at_work else clock.parse(run["finished_at"] or run["updated_at"]))
            break
    return spans
