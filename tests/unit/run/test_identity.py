from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop import identity
from tunedrop.run.registration import new_record
from tunedrop.states import inbox_watch
from tunedrop.teams import Teams


def upload_event(
    key: str = "inbox/gsm8k/train.jsonl", version: str | None = "v1", sequencer: str = "1"
) -> dict[str, Any]:
    detail = {"bucket": {"name": "drop"}, "object": {"key": key, "sequencer": sequencer}}
    if version is not None:
        detail["object"]["version-id"] = version
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def test_the_same_event_is_the_same_run_however_often_it_comes() -> None:
    assert identity.run_id_of(upload_event()) == identity.run_id_of(upload_event(sequencer="2"))


@pytest.mark.parametrize("other", [upload_event(version="v2"), upload_event(key="inbox/gsm8k-2/train.jsonl")])
def test_another_version_or_key_is_another_run(other: dict[str, Any]) -> None:
    assert identity.run_id_of(other) != identity.run_id_of(upload_event())


def test_without_versioning_the_sequencer_tells_uploads_apart() -> None:
    first, second = (identity.run_id_of(upload_event(version=None, sequencer=each)) for each in "12")
    assert first != second


@given(st.text(max_size=300))
def test_any_name_makes_a_run_id_that_fits_every_derived_name(name: str) -> None:
    run_id = identity.run_id_for_upload(identity.Upload("drop", f"inbox/{name}/train.jsonl", "v1"))
    assert identity.is_run_id(run_id)
    assert len(run_id) <= identity.SLUG_LENGTH + 17
    assert "--" not in run_id
    assert identity.run_id_of_training_file(identity.training_file_name(run_id)) == run_id
    assert identity.is_run_id(identity.new_run_id(name))


def test_the_name_is_what_lies_between_the_inbox_and_the_file() -> None:
    assert identity.dataset_name("inbox/Größe 1+2/train.jsonl") == "Größe 1+2"
    assert identity.slug("Größe 1+2") == "groe-1-2"
    assert identity.slug("数学") == "dataset"


@pytest.mark.parametrize("wrong", [{}, {"run_id": 7}, {"run_id": "../x"}, {"run_id": "A B"}, {"source": "aws.s3"}])
def test_an_input_that_names_no_run_is_refused_by_its_keys_alone(wrong: dict[str, Any]) -> None:
    with pytest.raises(identity.EventNotUnderstood, match="must be S3's"):
        identity.run_id_of(wrong)


@pytest.mark.parametrize("name", ["tunedrop-.jsonl", "tunedrop-a/b.jsonl", "other.jsonl", "tunedrop-x.jsonl.jsonl", ""])
def test_a_file_of_somebody_else_is_no_run_of_ours(name: str) -> None:
    assert identity.run_id_of_training_file(name) is None


def test_a_run_has_one_terminal_notice_id_and_another_run_another() -> None:
    assert identity.terminal_notice_id("a-1") == identity.terminal_notice_id("a-1")
    assert identity.terminal_notice_id("a-1") != identity.terminal_notice_id("a-2")


@pytest.mark.parametrize("detail", [{}, {"bucket": {"name": "drop"}}, {"bucket": "drop", "object": {"key": "k"}}])
def test_an_event_of_s3_without_its_object_is_not_understood(detail: dict[str, Any]) -> None:
    with pytest.raises(identity.EventNotUnderstood, match="must name `detail.bucket.name`"):
        identity.upload_of({"source": "aws.s3", "detail": detail})


def test_an_upload_is_watched_by_its_event_alone() -> None:
    resources: Any = None
    with pytest.raises(identity.EventNotUnderstood, match="expected S3's `Object Created` event"):
        inbox_watch.run({"id": "1"}, resources)


def test_a_run_that_is_started_past_the_inbox_and_the_api_is_named_by_its_id() -> None:
    run_id = "ants-0123456789abcdef"
    written = {"run_id": run_id, "name": "bees", "recipe": "model: m"}
    record = new_record(run_id, written, "arn", "2026-01-01T00:00:00+00:00", Teams.parse("{}"))
    assert (record.name, record.source) == (run_id, {"kind": "call"})
