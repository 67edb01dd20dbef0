"""The texts that subscribers by e-mail read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.notices.notices_of_all_kinds import NOTICES, RUN
from tunedrop.notices import of_run
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import Status


def mail(published: Mapping[str, Any]) -> str:
    """What a subscriber by e-mail gets."""
    text: str = json.loads(published["Message"])["email"]
    return text


def documents() -> list[Any]:
    return [pytest.param(each, id=name) for name, each in NOTICES.items()]


@pytest.mark.parametrize("published", documents())
def test_every_notice_says_its_name_its_id_and_something_to_do(published: Mapping[str, Any]) -> None:
    body, text = document_of(published), mail(published)
    assert body["name"] in text
    assert f"Notice: {body['notice_id']}" in text
    assert "None" not in text
    assert len(text) < 4000
    assert text.count("\n\n") >= 2, "paragraphs"


@pytest.mark.parametrize("published", documents())
def test_every_notice_carries_the_attributes_that_it_has_values_for(published: Mapping[str, Any]) -> None:
    body = document_of(published)
    told = {name: each["StringValue"] for name, each in published["MessageAttributes"].items()}
    assert told["event"] == body["event"]
    for name in ("name", "team", "base_model"):
        assert told.get(name) == body.get(name), name
    assert ("status" in told) == (body["event"] == "run_ended")
    assert all(each["StringValue"] for each in published["MessageAttributes"].values())


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("improved", "the tuned model is better than its base"),
        ("improved", "from 0.512 to 0.893: a difference of +0.381 (95% interval +0.320 to +0.440, p = 0.0001)"),
        ("improved", "Training and model were simulated on one machine."),
        ("tied", "no difference"),
        ("regressed", "keep the base model"),
        ("rejected", "DatasetInvalid: line 3 is no JSON"),
        ("rejected", "nothing was trained"),
        ("failed", "`resumes: gsm8k-0123456789abcdef`"),
        ("cancelled", "it was stopped"),
        ("started", "Found beside it: a test set (s3://drop/inbox/gsm8k/test.jsonl). So the default recipe applies."),
        ("started alone", "Found beside it: nothing."),
        ("warning", "The policy answers ever the same."),
        ("approval", "POST /runs/gsm8k-0123456789abcdef/approve"),
        ("ignored", "inbox/gsm8k/train.json has a name that starts no run"),
        ("late", "came after run gsm8k-0123456789abcdef had pinned its inputs"),
    ],
)
def test_a_text_says_what_happened(kind: str, says: str) -> None:
    assert says in mail(NOTICES[kind])


def test_a_figure_that_is_missing_keeps_no_notice_from_being_sent() -> None:
    run = replace(RUN, evaluation={"verdict": "improved"}, training={}, job_id="ftjob-1")
    closing = of_run.closing(run, Status.SUCCEEDED, None, report_uri=None)
    assert "an unknown number" in mail(closing["notice"])


def test_a_long_reason_is_cut_in_the_text_and_whole_in_the_document() -> None:
    message = "x" * 5000
    closing = of_run.closing(RUN, Status.FAILED, {"error": "E", "message": message}, report_uri=None)["notice"]
    assert document_of(closing)["reason"]["message"] == message
    assert len(mail(closing)) < 3500
