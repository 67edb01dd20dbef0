"""`tunedrop validate FOLDER`, a run, the API and the page say the same of the same files: one check."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from local.command import main
from tests.unit.dataset.sample_rows import a_row, as_line, good_rows
from tunedrop.limits.limits import Limits
from tunedrop.outcomes import DatasetInvalid, Status
from tunedrop.recipe_resolution import resolve
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import run_validation, validate_dataset
from tunedrop.validations import Validations, findings_key

GOOD = good_rows(150)
TEST = [a_row(n) for n in range(900, 920)]


def answered(answer: Any) -> list[dict[str, Any]]:
    return [{**row, "reference_answer": answer} for row in GOOD]


def lines(rows: list[Any], between: bytes = b"\n") -> bytes:
    return between.join(row if isinstance(row, bytes) else as_line(row) for row in rows) + between


BEST = {"evaluation": {"checkpoints": "best"}}
# Name → whether it is valid, train.jsonl, test.jsonl, recipe.
KINDS: dict[str, tuple[bool, bytes, bytes | None, dict[str, Any]]] = {
    "good rows": (True, lines(GOOD), None, {}),
    "good rows with a test file": (True, lines(GOOD), lines(TEST), {}),
    "100 rows and no test file": (False, lines(GOOD[:100]), None, {}),
    "100 rows and a test file": (True, lines(GOOD[:100]), lines(TEST), {}),
    "99 rows": (False, lines(GOOD[:99]), lines(TEST), {}),
    "100 rows, test file, best checkpoint": (False, lines(GOOD[:100]), lines(TEST), BEST),
    "labels and no recipe": (False, lines(answered("refund")), None, {}),
    "labels and the exact grader": (True, lines(answered("refund")), None, {"grader": {"kind": "exact"}}),
    "objects and no recipe": (False, lines(answered({"team": "a"})), None, {}),
    "objects and the json grader": (True, lines(answered({"team": "a"})), None, {"grader": {"kind": "json"}}),
    "number as text, compared as one": (
        False, lines(answered({"n": "2"})), None, {"grader": {"kind": "json", "options": {"fields": {"/n": "number"}}}},
    ),
    "choice outside the letters": (
        False, lines(answered("G")), None,
        {"grader": {"kind": "exact", "options": {"mode": "choice", "letters": "ABC"}}},
    ),
    "label outside the labels": (
        False, lines(answered("c")), None, {"grader": {"kind": "moderation", "options": {"labels": ["a", "b"]}}},
    ),
    "cut LaTeX": (True, lines(answered(r"\dfrac{4")), None, {}),
    "slice that no row has": (True, lines(GOOD), None, {"evaluation": {"slices": ["chanel"]}}),
    "one broken line": (False, lines([*GOOD, b"{"]), None, {}),
    "misspelt field": (False, lines(GOOD).replace(b'"messages"', b'"mesages"'), None, {}),
    "byte order mark": (True, b"\xef\xbb\xbf" + lines(GOOD), None, {}),
    "CR LF": (True, lines(GOOD, b"\r\n"), None, {}),
    "blank line": (False, lines([*GOOD[:9], b"", *GOOD[9:]]), None, {}),
    "UTF-16": (False, lines(GOOD).decode().encode("utf-16"), None, {}),
    "packed by gzip": (True, gzip.compress(lines(GOOD)), gzip.compress(lines(TEST)), {}),
    "packed, one broken line": (False, gzip.compress(lines([*GOOD, b"{"])), None, {}),
    "packed and cut off": (False, gzip.compress(lines(GOOD))[:-9], None, {}),
    "broken gzip": (False, b"\x1f\x8b\x08" + bytes(500), None, {}),
    "a test file packed and cut off": (False, lines(GOOD), gzip.compress(lines(TEST))[:-9], {}),
    "Parquet": (False, b"PAR1" + bytes(500), None, {}),
    "empty": (False, b"", None, {}),
    "one JSON array": (False, json.dumps(GOOD, indent=1).encode(), None, {}),
    "test rows that are trained on": (False, lines(GOOD), lines(GOOD[:20]), {}),
}  # fmt: skip


OFTEN = {
    "good rows with a test file",
    "100 rows and no test file",
    "labels and no recipe",
    "slice that no row has",
    "one broken line",
    "byte order mark",
    "packed and cut off",
    "test rows that are trained on",
}
"""The kinds that `make test` tries; `make prove` tries the others, too."""


@pytest.fixture
def tables(runs_table: str, api_table: str) -> tuple[str, str]:
    return runs_table, api_table


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in OFTEN else [pytest.mark.prove]) for kind in KINDS]
)
def test_the_command_a_run_the_api_and_the_page_say_the_same_of_a_dataset(
    kind: str,
    tables: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    valid, train, test, recipe = KINDS[kind]
    files = {"train.jsonl": train, "recipe.json": json.dumps(recipe).encode()}
    if test is not None:
        files["test.jsonl"] = test
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    assert main.main(["validate", str(tmp_path), "--json"]) == (0 if valid else 2)
    said = json.loads(capsys.readouterr().out)

    s3 = boto3.client("s3")
    for bucket in ("inbox", "runs"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

    def pinned(name: str) -> PinnedObject:
        put = s3.put_object(Bucket="inbox", Key=name, Body=files[name])
        return PinnedObject("inbox", name, "", len(files[name]), put["ETag"].strip('"'))

    store = RunStore(boto3.client("dynamodb"), tables[0])
    moment = "2026-01-01T00:00:00.000Z"
    store.register(
        RunRecord(
            run_id="kind-1", name="kind", execution_arn="arn", status=Status.RUNNING, started_at=moment,
            updated_at=moment, recipe_document=resolve(recipe, "us-west-2").model_dump(mode="json"),
            train=pinned("train.jsonl"), test=None if test is None else pinned("test.jsonl"),
        )
    )  # fmt: skip
    folder = RunFolder(s3, "runs", "kind-1")
    settings = SimpleNamespace(region="us-west-2", parameter_path="/tunedrop/dev", runs_bucket="runs")
    resources: Any = SimpleNamespace(
        runs=store,
        s3=s3,
        folder=lambda _: folder,
        dynamodb=boto3.client("dynamodb"),
        settings=settings,
        limits=Limits(),
    )
    if valid:
        assert validate_dataset.run({"run_id": "kind-1"}, resources).rows > 0
        assert (store.load("kind-1").dataset.test_rows or 0) > 0
    else:
        with pytest.raises(DatasetInvalid) as caught:
            validate_dataset.run({"run_id": "kind-1"}, resources)
        assert len(str(caught.value)) < 2_500
    assert folder.read_json(names.FINDINGS) == said
    page = folder.read(names.FINDINGS_PAGE).decode()
    assert ("Not valid" in page) is not valid
    assert all(finding["rule"] in page for finding in said["findings"])

    monkeypatch.setenv("API_TABLE", tables[1])
    validations = Validations(resources.dynamodb, tables[1])
    source: dict[str, Any] = {"bucket": "inbox", "key": "train.jsonl", "recipe": recipe}
    if test is not None:
        source["test"] = {"bucket": "inbox", "key": "test.jsonl"}
    asked = validations.ask("red", source)
    assert run_validation.run({"validation_id": asked}, resources).valid is valid
    result = validations.load(asked)["result"]
    assert {name: result[name] for name in ("valid", "rows", "counts")} == {
        name: said[name] for name in ("valid", "rows", "counts")
    }
    kept = s3.get_object(Bucket="runs", Key=findings_key(asked))["Body"].read()
    assert json.loads(kept) == said


def test_a_validation_reads_the_recipe_file_that_it_names(aws: None) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="inbox", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="inbox", Key="train.jsonl", Body=lines(answered("refund")))
    source: dict[str, Any] = {"bucket": "inbox", "key": "train.jsonl"}
    settings = SimpleNamespace(region="us-west-2", parameter_path="/tunedrop/dev")
    resources: Any = SimpleNamespace(s3=s3, settings=settings)
    for written, valid in ((b"grader: {kind: math}\n", False), (b"grader: {kind: exact}\n", True)):
        s3.put_object(Bucket="inbox", Key="recipes/red/mine.yaml", Body=written)
        named = {**source, "recipe_file": {"bucket": "inbox", "key": "recipes/red/mine.yaml"}}
        assert run_validation._check(named, resources)["valid"] is valid
