"""The folder that is dropped, and the order in which its files reach the inbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from local.command.dataset_folder import DatasetFolder
from local.command.demo import GSM8K, full_test_set
from local.command.exits import UsageError


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="datasets", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    client.put_bucket_versioning(Bucket="datasets", VersioningConfiguration={"Status": "Enabled"})
    return client


def _folder(path: Path, *names: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in names:
        (path / name).write_text(name)
    return path


def test_the_run_is_called_like_the_folder_unless_it_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "sums", "train.jsonl")
    assert DatasetFolder.open(folder).name == "sums"
    assert DatasetFolder.open(folder / ".." / "sums").name == "sums"
    assert DatasetFolder.open(folder, "other").name == "other"


def test_other_files_than_those_of_a_run_stay_where_they_are(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "sums", "train.jsonl", "recipe.yaml", "README.md", "train.raw.jsonl")
    assert [path.name for path in DatasetFolder.open(folder).siblings] == ["recipe.yaml"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "it is empty"),
        (("a.jsonl", "b.jsonl"), "it holds a.jsonl, b.jsonl"),
        (tuple("abcdefg"), "it holds a, b, c, d, e, f, …"),
    ],
)
def test_without_a_training_file_it_is_told_what_is_there_instead(
    names: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="has no train.jsonl") as raised:
        DatasetFolder.open(_folder(tmp_path / "sums", *names))
    assert told in str(raised.value)


def test_a_file_in_place_of_a_folder_is_answered_with_the_folder_to_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "sums", "train.jsonl")
    with pytest.raises(UsageError, match=f"name the folder that holds train.jsonl: {folder}"):
        DatasetFolder.open(folder / "train.jsonl")
    with pytest.raises(UsageError, match="there is no folder"):
        DatasetFolder.open(folder / "missing")


def test_the_training_file_comes_last_because_it_starts_the_run(s3: Any, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "sums", "train.jsonl", "test.jsonl", "recipe.json")
    put: list[str] = []
    s3.meta.events.register("before-call.s3.PutObject", lambda params, **_: put.append(params["url_path"]))
    key, version = DatasetFolder.open(folder).upload(s3, "datasets")
    assert [path.rpartition("/")[2] for path in put] == ["test.jsonl", "recipe.json", "train.jsonl"]
    assert key == "inbox/sums/train.jsonl"
    stored = s3.get_object(Bucket="datasets", Key=key, VersionId=version)
    assert stored["Body"].read() == b"train.jsonl"


@pytest.mark.parametrize(
    ("recipe", "region"),
    [
        ("model: amazon.nova-2-lite-v1:0:256k", "us-east-1"),
        ("model: qwen.qwen3-32b", "us-west-2"),
        ("labels: {team: search}", "us-west-2"),
        ("model: no.such-model", "us-west-2"),
        ("model: [broken", "us-west-2"),
    ],
)
def test_the_model_gives_the_region_and_the_pipeline_judges_the_recipe(
    recipe: str, region: str, tmp_path: Path
) -> None:
    folder = _folder(tmp_path / "sums", "train.jsonl")
    assert DatasetFolder.open(folder).region == "us-west-2"
    (folder / "recipe.yaml").write_text(recipe)
    assert DatasetFolder.open(folder).region == region


def test_the_full_test_set_has_every_published_row_in_the_demos_own_format(tmp_path: Path) -> None:
    made = (full_test_set(tmp_path / "full") / "test.jsonl").read_bytes().splitlines()
    shipped = (GSM8K / "test.jsonl").read_bytes().splitlines()
    assert len(made) == 1_319
    assert made[: len(shipped)] == shipped
    assert (tmp_path / "full/train.jsonl").read_bytes() == (GSM8K / "train.jsonl").read_bytes()
