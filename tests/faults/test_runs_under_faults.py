"""A few seeds of the fault suite; `make faults RUNS=500 SEED=1` makes as many as one likes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import __main__ as suite
from tests.faults import oracle, schedule
from tests.faults.one_run import run_seed
from tests.faults.world import world
from tunedrop.notices.publication import document_of


@pytest.mark.prove
def test_a_run_under_faults_ends_as_it_must_and_the_oracle_sees_what_is_planted(tmp_path: Path) -> None:
    with world("us-west-2", tmp_path) as made:
        result = run_seed(made, 2)
        assert result.violations == [], result.planned
        assert sum(result.hits.values()) >= 3, "nothing went wrong: the run shows nothing"

        (record,) = made.application.records(made.name)
        planted = {**document_of(record.notice), "notice_id": "another"} if record.notice else {}
        machine = f"arn:aws:iam::{made.stack.aws.account}:role/{made.stack.resources['PipelineRole']}"
        made.stack.aws.client_as("sns", machine).publish(
            TopicArn=made.stack.outputs["NoticesTopicArn"], Message=json.dumps(planted)
        )
        assert any("2 distinct ones" in found for found in oracle.violations(made, {}))

        made.application.runs.update_if(record.run_id, {"unfinished": "yes"}, "attribute_exists(run_id)")
        key = f"runs/{record.run_id}/note.txt"
        body = made.stack.bedrock.api_key().encode()
        made.stack.aws.client("s3").put_object(Bucket=made.stack.outputs["RunsBucketName"], Key=key, Body=body)
        found = oracle.violations(made, {})
        assert any("not closed and marked" in each for each in found)
        assert f"a key was written into {key}" in found


def test_a_seed_always_means_the_same() -> None:
    assert schedule.draw(7) == schedule.draw(7)
    assert str(schedule.draw(8)) != str(schedule.draw(9))


def test_every_sort_of_fault_is_drawn() -> None:
    drawn = {fault.kind for seed in range(400) for fault in schedule.draw(seed).faults}
    kinds = (
        schedule.CALL_KINDS,
        schedule.BEDROCK_KINDS,
        schedule.LAMBDA_KINDS,
        schedule.GRADER_KINDS,
        schedule.EVENT_KINDS,
        schedule.MOMENT_KINDS,
    )
    assert drawn == {kind for sort in kinds for kind in sort}


def test_tool_calls_and_thoughts_are_drawn_in_both_families() -> None:
    drawn = [schedule.draw(seed) for seed in range(400)]
    for family in schedule.REGIONS:
        assert {way for each in drawn if each.family == family for way in each.ways()} == {"tool calls", "thoughts"}


@pytest.mark.prove
def test_twenty_runs_under_faults_end_as_they_must(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(suite, "STATE", tmp_path)
    monkeypatch.setattr("sys.argv", ["faults", "--runs", "20", "--seed", "1000"])
    status = suite.main()
    told = capsys.readouterr().out
    assert status == 0, told
    assert told.splitlines()[-1].startswith("20 of 20 runs ")
