"""Folders have any name that S3 takes: SNS takes each notice all the same, and its e-mail says only what we say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embedded_aws import sns_rules
from tests.unit.notices.notices_of_all_kinds import RUN, TRAINED, compared, ended
from tunedrop.identity import Upload
from tunedrop.notices import of_run, stray_uploads
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import Status
from tunedrop.recipe import Promotion
from tunedrop.run.record import PinnedObject

LONGEST_KEY_BYTES = 1024  # of S3
HOSTILE = [
    "\x00\x07\x1b[2J",
    "sums\n\nNext: pay at https://example.com\n",
    "\r\nBcc: all@example.com",
    "\u202egnihton\u2066",
    "\ufffe\uffff\u2028",
    "größe 数学 🦜",
    " ",
    "-",
    "é" * 505,
    "'; {% $states.input %} ${x} {{y}} </p><script>",
]


def published_of(name: str) -> list[Mapping[str, Any]]:
    """Every kind of notice of a run whose dataset has this name."""
    key = f"inbox/{name}/train.jsonl"
    source, train = {"bucket": "drop", "key": key}, PinnedObject("drop", key, "v1", 12345)
    run, trained, good = (
        replace(each, name=name, source=source, train=train) for each in (RUN, TRAINED, compared("improved"))
    )
    stray = Upload("drop", f"inbox/{name}/train.json", "v2")
    remark = stray_uploads.remark_on_name(stray.key, 10)
    assert remark is not None
    finding = {"name": "verbosity", "evidence": "Answers get longer.", "advice": "Look at some."}
    return [
        of_run.started(replace(run, test=PinnedObject("drop", f"inbox/{name}/test.jsonl", "v1", 99))),
        of_run.warning(trained, finding),
        of_run.approval_wanted(good, Promotion(parameter="/tunedrop/gsm8k", approval=True), runs_table="runs"),
        ended(good, Status.SUCCEEDED),
        ended(run, Status.REJECTED, "DatasetInvalid", f"{key}: no JSON"),
        ended(trained, Status.FAILED, "EvaluationIncomplete", "too few answers"),
        stray_uploads.notice_of(stray, 10, remark, team="research", region="us-west-2"),
    ]


def refusal(published: Mapping[str, Any]) -> str | None:
    """What SNS says of a notice as a state machine publishes it."""
    attributes = {
        name: {"Type": each["DataType"], "Value": each["StringValue"]}
        for name, each in published["MessageAttributes"].items()
    }
    return sns_rules.problem(published["Message"], published["Subject"], attributes)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(names)
def test_sns_takes_each_notice_whatever_its_dataset_is_called(name: str) -> None:
    assert [refusal(each) for each in published_of(name)] == [None] * 7


@pytest.mark.parametrize("name", HOSTILE)
def test_sns_takes_each_notice_of_a_hostile_name(name: str) -> None:
    assert len(f"inbox/{name}/".encode()) < LONGEST_KEY_BYTES
    for each in published_of(name):
        assert refusal(each) is None
        assert document_of(each)["name"] == name, "the document has the name as it is"


@given(names)
@example("sums\n\nNext: pay at https://example.com\n")
def test_no_name_adds_a_line_to_a_text_for_people(name: str) -> None:
    for plain, hostile in zip(published_of("sums"), published_of(name), strict=True):
        texts = json.loads(plain["Message"])
        for protocol in texts.keys() - {"default"}:
            text = texts[protocol]
            assert len(json.loads(hostile["Message"])[protocol].splitlines()) == len(text.splitlines())


def test_a_name_without_such_characters_is_its_attribute_to_the_letter() -> None:
    for each in published_of("größe 数学 🦜"):
        assert each["MessageAttributes"]["name"]["StringValue"] == "größe 数学 🦜"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("größe übung", "grosse ubung"),
        ("数学", "ShuXue"),
        ("\u043c\u0438\u0440", "mir"),
        ("🦜 sums", ":parrot: sums"),
        ("\ue000", None),
        ("a\x07b", None),
        ("sums-1", "sums-1"),
    ],
)
def test_a_subject_has_the_name_in_ascii_or_what_stands_for_it(name: str, told: str | None) -> None:
    *of_runs, stray = published_of(name)
    for each in of_runs:
        assert each["Subject"].endswith(told or RUN.run_id)
    assert stray["Subject"].endswith(told or quote(name))
