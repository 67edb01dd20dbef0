"""What ValidateDataset leaves in a run's folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.unit.dataset.sample_rows import a_row, as_file, good_rows
from tunedrop.limits.limits import Limits
from tunedrop.outcomes import DatasetInvalid, InputMissing, LimitExceeded, Status
from tunedrop.recipe_resolution import resolve
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.record_parts import CheckedDataset
from tunedrop.run.store import RunStore
from tunedrop.states import validate_dataset

BOM = b"\xef\xbb\xbf"
MATH = b'{"tunedrop_grader": {"kind": "math"},'
"""How a row of the default recipe begins, once the state has named its grader in it."""


@pytest.fixture
def folder_after(runs_table: str) -> Callable[..., RunFolder]:
    """Validates a run of these files; gives its folder."""
    s3 = boto3.client("s3")
    for bucket in ("inbox", "runs"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket="inbox", VersioningConfiguration={"Status": "Enabled"})

    def pinned(name: str, body: bytes) -> PinnedObject:
        put = s3.put_object(Bucket="inbox", Key=name, Body=body)
        return PinnedObject(bucket="inbox", key=name, version_id=put["VersionId"], bytes=len(body))

    def validate(
        train: bytes,
        test: bytes | None = None,
        *,
        valid: bool = True,
        grader: dict[str, Any] | None = None,
        region: str = "us-west-2",
    ) -> RunFolder:
        store = RunStore(boto3.client("dynamodb"), runs_table)
        recipe = resolve({"grader": grader or {}}, region).model_dump(mode="json")
        moment = "2026-01-01T00:00:00.000Z"
        store.register(
            RunRecord(
                run_id="ants-1", name="ants", execution_arn="arn", status=Status.RUNNING,
                started_at=moment, updated_at=moment, recipe_document=recipe,
                train=pinned("train.jsonl", train), test=None if test is None else pinned("test.jsonl", test),
            )
        )  # fmt: skip
        folder = RunFolder(s3, "runs", "ants-1")
        resources: Any = SimpleNamespace(runs=store, s3=s3, folder=lambda _: folder, limits=Limits())
        for _ in range(2):  # a state may run twice
            with nullcontext() if valid else pytest.raises(DatasetInvalid):
                validate_dataset.run({"run_id": "ants-1"}, resources)
        return folder

    return validate


def test_the_findings_are_written_as_json_and_as_a_page(folder_after: Callable[..., RunFolder]) -> None:
    folder = folder_after(as_file([*good_rows(), b"{broken"]).getvalue(), valid=False)
    document = folder.read_json(names.FINDINGS)
    assert [(finding["rule"], finding["line"]) for finding in document["findings"]] == [("json-syntax", 121)]
    page = folder.read(names.FINDINGS_PAGE).decode()
    assert "Not valid: 1 error" in page
    assert "<h1>ants</h1>" in page
    assert set(folder.names()) == {names.FINDINGS, names.FINDINGS_PAGE}


def test_a_corrected_copy_is_offered_of_the_file_that_can_be_mended_and_of_no_other(
    folder_after: Callable[..., RunFolder],
) -> None:
    train, test = as_file(good_rows()).getvalue(), as_file([a_row(n) for n in range(500, 520)]).getvalue()
    folder = folder_after(BOM + train, test)
    assert folder.read(names.CORRECTED_TRAIN) == train
    assert not folder.exists(names.CORRECTED_TEST)
    trained = folder.read(names.TRAIN).replace(MATH, b"{")
    assert trained == train  # what is trained on has no byte order mark either


def test_without_a_test_file_rows_are_held_out_and_every_row_is_kept(folder_after: Callable[..., RunFolder]) -> None:
    body = as_file(good_rows(400)).getvalue()
    folder = folder_after(body)
    parts = [folder.read(name).replace(MATH, b"{").splitlines() for name in (names.TRAIN, names.TEST)]
    assert sorted(parts[0] + parts[1]) == sorted(body.splitlines())
    assert len(parts[1]) > 10
    assert not folder.exists(names.CORRECTED_TRAIN)


@pytest.mark.parametrize(
    ("own", "written"),
    [
        (None, {"kind": "exact", "mode": "f1"}),
        ({}, {"kind": "exact", "mode": "f1"}),
        ({"mode": "fuzzy"}, {"kind": "exact", "mode": "fuzzy"}),
        ({"thoughts": "keep"}, {"kind": "exact", "mode": "f1", "thoughts": "keep"}),
        ({"kind": "math", "require_format": "boxed"}, {"kind": "math", "require_format": "boxed"}),
    ],
)
def test_a_row_keeps_what_it_says_of_its_grader_over_the_recipe(
    folder_after: Callable[..., RunFolder], own: dict[str, Any] | None, written: dict[str, Any]
) -> None:
    special = {**a_row(999), "tunedrop_grader": own, "id": 2**70}
    folder = folder_after(
        as_file([*good_rows(), special]).getvalue(),
        as_file([a_row(n) for n in range(500, 520)]).getvalue(),
        grader={"kind": "exact", "options": {"mode": "f1"}},
    )
    rows = [json.loads(line) for line in folder.read(names.TRAIN).splitlines()]
    assert rows[-1] == {**special, "tunedrop_grader": written}
    assert all(row["tunedrop_grader"] == {"kind": "exact", "mode": "f1"} for row in rows[:-1])


@pytest.mark.parametrize("options", [{}, {"price": 2}])
def test_only_the_options_of_a_function_of_ones_own_are_written(
    folder_after: Callable[..., RunFolder], options: dict[str, Any]
) -> None:
    special = {**a_row(999), "tunedrop_grader": ["its own"]}
    folder = folder_after(
        as_file([special, *good_rows()]).getvalue(),
        as_file([a_row(n) for n in range(500, 520)]).getvalue(),
        grader={"kind": "own", "function": "arn:aws:lambda:us-west-2:123456789012:function:f:1", "options": options},
    )
    first, *others = [json.loads(line) for line in folder.read(names.TRAIN).splitlines()]
    assert first == special
    assert {json.dumps(row.get("tunedrop_grader")) for row in others} == {json.dumps(options) if options else "null"}


@pytest.mark.parametrize(("region", "name", "batch"), [("us-east-1", "batchSize", 16), ("us-west-2", "batch_size", 4)])
def test_the_batch_that_the_recipe_leaves_open_is_chosen_by_the_rows(
    folder_after: Callable[..., RunFolder], runs_table: str, region: str, name: str, batch: int
) -> None:
    folder_after(as_file(good_rows(400)).getvalue(), region=region)
    record = RunStore(boto3.client("dynamodb"), runs_table).load("ants-1")
    assert record.recipe.hyperparameters[name] == batch


def test_a_run_beyond_the_operator_s_limits_ends_before_anything_is_reserved(run: RunRecord) -> None:
    reserved: list[Any] = []
    months = SimpleNamespace(reserve=lambda *what: reserved.append(what))
    dataset, record = CheckedDataset(rows=1000, test_rows=100), replace(run, team="red")
    for hours, refused in ((24, False), (1, True)):
        limits = Limits.parse(json.dumps({"run": {"gradings": 10 if refused else 10**9}, "month": {"hours": hours}}))
        resources: Any = SimpleNamespace(limits=limits, months=months)
        with pytest.raises(LimitExceeded) if refused else nullcontext():
            validate_dataset._require_room(record, record.recipe, dataset, resources)
    ((run_id, team, wanted, most),) = reserved
    assert (run_id, team, most.hours) == (record.run_id, "red", 24)
    assert wanted.gradings > 1000


def test_a_run_whose_inputs_were_never_pinned_is_told_so(store: RunStore, run: RunRecord) -> None:
    resources: Any = SimpleNamespace(runs=store, s3=None, folder=lambda _: None)
    with pytest.raises(InputMissing, match="has no training file pinned"):
        validate_dataset.run({"run_id": run.run_id}, resources)
