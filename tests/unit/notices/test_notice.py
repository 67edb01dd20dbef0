from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.notices import of_run, publication
from tunedrop.notices.publication import Publication, document_of
from tunedrop.outcomes import Status
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.record_parts import CheckedDataset, EvaluationResult, TrainingProgress

RUN = RunRecord(
    run_id="gsm8k-0123456789abcdef",
    name="gsm8k",
    execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
    status=Status.RUNNING,
    started_at="2026-01-01T00:00:00.000Z",
    updated_at="2026-01-01T00:00:00.000Z",
    source={"bucket": "drop", "key": "inbox/gsm8k/train.jsonl", "version_id": "v1"},
)
PINNED = replace(RUN, train=PinnedObject("drop", "inbox/gsm8k/train.jsonl", "v1", 10))
FIELDS = {
    *("schema_version", "notice_id", "run_id", "name", "status", "reason", "base_model", "tuned_model", "dataset"),
    *("training", "evaluation", "report_uri", "execution_arn", "started_at", "finished_at"),
    *("promotion", "released", "may_still_cost", "event", "team"),
    *("headline", "next", "links", "commands", "labels"),
}


def body(closing: dict[str, Any]) -> dict[str, Any]:
    return document_of(closing["notice"])


def test_a_run_that_failed_at_once_has_all_fields_and_null_for_what_it_did_not_reach() -> None:
    reason = {"error": "RecipeInvalid", "message": "why"}
    told = body(of_run.closing(RUN, Status.REJECTED, reason, report_uri=None))
    assert set(told) == FIELDS
    assert told["reason"] == reason
    assert told["training"] is told["evaluation"] is told["tuned_model"] is told["base_model"] is None
    assert told["dataset"] == {"uri": "s3://drop/inbox/gsm8k/train.jsonl", "version": "v1", "rows": None}


def test_a_run_that_went_well_tells_its_training_and_no_reason() -> None:
    run = replace(
        RUN,
        train=PinnedObject("drop", "inbox/gsm8k/train.jsonl", "v1", 10),
        recipe_document={"model": "openai.gpt-oss-20b"},
        dataset=CheckedDataset(rows=300),
        job_id="ftjob-1",
        tuned_model="ft-1",
        training=TrainingProgress(steps=67, reward_first=0.5, reward_last=0.9, simulated=True, progress_at="x"),
        evaluation=EvaluationResult({"verdict": "improved"}),
    )
    closing = of_run.closing(run, Status.SUCCEEDED, None, report_uri="s3://runs/report.html")
    told = body(closing)
    assert told["reason"] is None
    assert told["training"] == {
        "job_id": "ftjob-1",
        "steps": 67,
        "reward_first": 0.5,
        "reward_last": 0.9,
        "findings": [],
        "simulated": True,
        "trained_by": "simulation",
        "trained_on": "this machine",
        "weights": None,
        "dollars": None,
    }
    attributes = {name: each["StringValue"] for name, each in closing["notice"]["MessageAttributes"].items()}
    assert attributes == {
        "event": "run_ended",
        "status": "SUCCEEDED",
        "verdict": "improved",
        "name": "gsm8k",
        "base_model": "openai.gpt-oss-20b",
    }


def test_an_attribute_without_a_value_is_left_out() -> None:
    told = of_run.closing(RUN, Status.FAILED, None, report_uri=None)["notice"]["MessageAttributes"]
    assert set(told) == {"event", "status", "name"}


@given(st.text(max_size=400), st.sampled_from(list(Status)), st.sampled_from([None, "improved", "regressed"]))
def test_any_name_makes_a_subject_that_sns_takes(name: str, status: Status, verdict: str | None) -> None:
    subject = of_run.subject(name, "run-1", status, verdict)
    assert 0 < len(subject) <= 99
    assert all(" " <= each <= "~" for each in subject)
    assert not subject.startswith(" ")


def test_a_reason_of_any_length_leaves_the_notice_well_below_the_limit_of_sns() -> None:
    closing = of_run.closing(RUN, Status.FAILED, {"error": "X", "message": "é" * 10**6}, report_uri=None)
    assert size(closing["notice"]) <= publication.LARGEST_BYTES


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_closing_twice_gives_the_same_notice_id(status: Status) -> None:
    first, second = (of_run.closing(RUN, status, None, report_uri=None) for _ in range(2))
    assert document_of(first["notice"])["notice_id"] == document_of(second["notice"])["notice_id"]


def size(published: Publication) -> int:
    return len(json.dumps(published, ensure_ascii=False).encode())


@pytest.mark.parametrize("letter", ["a", '"', "\\", "é", "\n", "数"])
def test_a_publication_holds_its_limit_whatever_its_texts_are_made_of(letter: str) -> None:
    left = [{"kind": "file", "id": f"{number}", "why": letter * 100} for number in range(1000)]
    document = {**document_of(of_run.started(PINNED)), "grader": letter * 500_000, "left": left, "n": 1.5}
    made = publication.publication(document, "s", {"event": "run_started"})
    assert size(made) <= publication.LARGEST_BYTES
    kept = document_of(made)
    assert kept.keys() == document.keys()
    assert (kept["run_id"], kept["notice_id"], kept["n"]) == (RUN.run_id, document["notice_id"], 1.5)
    assert len(kept["left"]) > 5


def test_a_publication_has_the_parameters_of_publish_and_no_other() -> None:
    made = of_run.started(PINNED)
    assert set(made) == {"Subject", "Message", "MessageStructure", "MessageAttributes"}
    assert made["MessageStructure"] == "json"
    assert {"default", "email"} <= json.loads(made["Message"]).keys()
