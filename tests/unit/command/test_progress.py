"""Reading how far a run is, from the same places that anyone may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import boto3
import pytest

from local.command.progress import Answers, Progress, ProgressReader
from tests.unit.command import runs
from tunedrop.evaluation.answers import Answer
from tunedrop.run.folder import ANSWERS, PLAN, RunFolder
from tunedrop.run.store import RunStore
from tunedrop.stages import ORDER
from tunedrop.training.backend import TrainingEvent
from tunedrop.training.events import TrainingEvents


class Execution:
    """One execution of the pipeline, as the Step Functions API tells of it: its history is written by hand."""

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.ended: dict[str, Any] = {}

    def enter(self, *states: str) -> None:
        """Leave each state for the next; the last one works."""
        for state in states:
            entered = [each for each in self.history if "stateEnteredEventDetails" in each]
            if entered:
                self._note("exited", entered[-1]["stateEnteredEventDetails"]["name"])
            self._note("entered", state)

    def _note(self, what: str, state: str) -> None:
        moment = runs.BEGAN + timedelta(seconds=len(self.history))
        key = "stateEnteredEventDetails" if what == "entered" else "stateExitedEventDetails"
        self.history.append({"timestamp": moment, key: {"name": state}})

    def fail(self, error: str) -> None:
        """Let the state at work fail; it is tried again."""
        self.history.append({"timestamp": runs.BEGAN, "taskFailedEventDetails": {"error": error}})

    def describe_execution(self, executionArn: str) -> Mapping[str, Any]:
        return {"status": "RUNNING", **self.ended}

    def get_paginator(self, operation: str) -> Execution:
        assert operation == "get_execution_history"
        return self

    def paginate(self, executionArn: str, includeExecutionData: bool) -> list[dict[str, Any]]:
        # Two pages, as a long history has.
        half = len(self.history) // 2
        return [{"events": self.history[:half]}, {"events": self.history[half:]}]


class Run:
    """A run whose record, events, answers and execution a test moves on, with a reader that follows it."""

    def __init__(self, runs_table: str, events_table: str) -> None:
        boto3.client("s3").create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        self.store = RunStore(boto3.client("dynamodb"), runs_table)
        self.events = TrainingEvents(boto3.client("dynamodb"), events_table)
        self.folder = RunFolder(boto3.client("s3"), "runs", runs.RUN_ID)
        self.execution = Execution()
        stepfunctions: Any = self.execution
        self.reader = ProgressReader(
            runs.RUN_ID, store=self.store, events=self.events, folder=self.folder, stepfunctions=stepfunctions
        )

    def step(self, step: int, reward: float) -> None:
        values = {"step": float(step), "total_steps": 67.0, "critic_rewards_mean": reward}
        self.events.keep(runs.RUN_ID, [TrainingEvent(f"event-{step}", step, "info", "a step", step, values)])

    def answer(self, part: str, candidate: str, *right: bool | None) -> None:
        answers = (Answer(row, 0, candidate, "hash", "72", reward=1.0, correct=each) for row, each in enumerate(right))
        self.folder.write(f"{ANSWERS}{part}.jsonl", b"".join(each.to_line() for each in answers))


@pytest.fixture
def run(runs_table: str, training_events_table: str) -> Run:
    return Run(runs_table, training_events_table)


def _registered(run: Run) -> None:
    run.store.register(runs.record())


def test_before_the_record_is_there_nothing_is_known(run: Run) -> None:
    assert asdict(run.reader.read()) == asdict(Progress(runs.RUN_ID))


def test_a_stage_lasts_from_its_first_state_to_its_last(run: Run) -> None:
    _registered(run)
    run.execution.enter("RegisterRun", "Registered?", "Settle")
    spans = run.reader.read().spans
    assert list(spans) == ["RegisterRun", "Settle"]
    assert spans["RegisterRun"].entered == runs.BEGAN
    assert spans["RegisterRun"].left == runs.BEGAN + timedelta(seconds=3)
    assert spans["Settle"].left is None


def test_a_stage_that_is_left_while_one_looks_is_seen_with_what_it_found(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _registered(run)
    run.execution.enter("RegisterRun", "ValidateDataset")

    def describe(executionArn: str) -> Mapping[str, Any]:
        if "dataset" not in found:
            found["dataset"] = {"rows": 300}
            run.store.update(runs.RUN_ID, dict(found))
            run.execution.enter("RehearseGrader")
        return {"status": "RUNNING"}

    found: dict[str, Any] = {}
    monkeypatch.setattr(run.execution, "describe_execution", describe)
    progress = run.reader.read()
    assert progress.spans["ValidateDataset"].left is not None
    assert progress.record is not None
    assert progress.record.dataset.rows == 300


def test_a_stage_that_goes_round_is_one_stage_and_works_until_it_is_left_for_good(run: Run) -> None:
    _registered(run)
    run.execution.enter("RegisterRun", "WaitForTraining", "PollJob", "Ready?", "WaitForTraining")
    progress = run.reader.read()
    assert progress.last_stage == "PollJob"
    assert progress.spans["PollJob"].entered == runs.BEGAN + timedelta(seconds=2)
    assert progress.spans["PollJob"].left is None


def test_the_states_inside_the_map_are_not_stages_of_their_own(run: Run) -> None:
    _registered(run)
    run.folder.write_json(PLAN, {"shards": []})
    run.execution.enter("EvaluateShards", "EvaluateShard")
    assert list(run.reader.read().spans) == ["EvaluateShards"]


def test_training_is_followed_step_by_step_and_to_its_last_event(run: Run) -> None:
    _registered(run)
    run.execution.enter("SubmitJob")
    run.step(1, 0.5)
    assert run.reader.read().metrics == ()
    run.execution.enter("WaitForTraining")
    assert [each["critic_rewards_mean"] for each in run.reader.read().metrics] == [0.5]
    run.step(2, 0.75)
    run.execution.enter("PollJob", "Ready?", "PlanEvaluation")
    assert [each["critic_rewards_mean"] for each in run.reader.read().metrics] == [0.5, 0.75]


def test_answers_are_counted_once_each_as_their_parts_come(run: Run) -> None:
    _registered(run)
    run.folder.write_json(
        PLAN, {"shards": [{"candidate": name, "rows": 3} for name in ("base", "base", "tuned", "tuned")]}
    )
    run.execution.enter("EvaluateShards")
    run.answer("00000/00000", "base", True, False)
    assert run.reader.read().answers == {"base": Answers(6, 2, 2, 1), "tuned": Answers(6)}
    run.answer("00002/00000", "tuned", True, None, True)
    run.execution.enter("ConcludeRun")
    assert run.reader.read().answers == {"base": Answers(6, 2, 2, 1), "tuned": Answers(6, 3, 2, 2)}
    assert run.reader.read().answers["tuned"].accuracy == 1.0


def test_a_second_round_of_the_evaluation_adds_its_candidates_to_those_of_the_first(run: Run) -> None:
    _registered(run)
    first = {"candidate": "checkpoint:20", "rows": 3}
    run.folder.write_json(PLAN, {"shards": [first]})
    run.execution.enter("EvaluateShards")
    run.answer("00000/00000", "checkpoint:20", True, False)
    assert run.reader.read().answers == {"checkpoint:20": Answers(3, 2, 2, 1)}
    run.folder.write_json(PLAN, {"shards": [first, {"candidate": "base", "rows": 5}]})
    run.answer("00001/00000", "base", True)
    run.execution.enter("Compared?", "PlanEvaluation", "EvaluateShards")
    assert run.reader.read().answers == {"checkpoint:20": Answers(3, 2, 2, 1), "base": Answers(5, 1, 1, 1)}


def test_nothing_is_right_or_wrong_where_nothing_was_judged() -> None:
    assert Answers(10, got=4).accuracy is None


def test_an_execution_that_failed_tells_where_and_by_what_error(run: Run) -> None:
    _registered(run)
    run.execution.enter("RegisterRun", "ValidateDataset")
    stopped = runs.BEGAN + timedelta(seconds=9)
    run.execution.ended = {"status": "FAILED", "error": "DatasetInvalid", "stopDate": stopped}
    progress = run.reader.read()
    assert progress.ended
    assert progress.failed_at == "ValidateDataset"
    assert progress.error == "DatasetInvalid"
    assert progress.spans["ValidateDataset"].left == stopped


def test_a_run_is_over_when_its_notice_is_marked_as_out(run: Run) -> None:
    _registered(run)
    run.execution.enter(*(state for state in ORDER if state not in ("PollJob", "EvaluateShards")))
    run.execution.ended = {"status": "SUCCEEDED"}
    progress = run.reader.read()
    assert progress.ended
    assert not progress.notified
    assert progress.failed_at is None
    run.store.update(runs.RUN_ID, {"notified_at": "2026-01-01T00:00:21.000Z"})
    assert run.reader.read().notified


def test_how_often_the_state_at_work_failed_is_counted_until_it_is_left(run: Run) -> None:
    _registered(run)
    run.execution.enter("RegisterRun", "Settle", "ResolveInputs")
    run.execution.fail("ServiceBusy")
    run.execution.fail("Lambda.Unknown")
    assert run.reader.read().failures == "failed 2 times and is tried again, the last time by Lambda.Unknown"
    run.execution.enter("ValidateDataset")
    assert run.reader.read().failures == ""
