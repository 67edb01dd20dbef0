"""What is said of uploads that start no run, and what is passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.notices.notices_of_all_kinds import RUN
from tunedrop.identity import Upload
from tunedrop.notices.stray_uploads import Remark, look_at, trains_beside
from tunedrop.run.record import PinnedObject, RunRecord


def look(key: str, *, size: int = 10, text: bytes = b"", record: RunRecord | None = None) -> Remark | None:
    return look_at(
        Upload("drop", key, "v2"),
        size,
        read=lambda: text,
        run_beside=lambda: record,
        region="us-west-2",
        parameter_path="/tunedrop/dev",
    )


@pytest.mark.parametrize(
    "key",
    [
        "inbox/gsm8k/train.jsonl",
        "inbox/a/b c+ü/train.jsonl",
        "inbox//train.jsonl",
        "inbox//test.jsonl",
        "inbox/a/b/train.jsonl",
        "inbox/gsm8k/train.jsonl.gz",
        "inbox//train.jsonl.gz",
        "inbox/gsm8k/test.jsonl.gz",
        "inbox/gsm8k/test.jsonl",
        "inbox/gsm8k/recipe.yaml",
        "inbox/gsm8k/",
        "inbox/gsm8k/README.md",
        "inbox/gsm8k/LICENSE",
        "inbox/.DS_Store",
    ],
)
def test_what_belongs_there_is_passed_over(key: str) -> None:
    assert look(key) is None


@pytest.mark.parametrize(
    ("key", "problem", "advice"),
    [
        ("inbox/train.jsonl", "lies directly in the inbox", "inbox/<name>/train.jsonl"),
        ("inbox/gsm8k/train.json", "starts no run", "inbox/gsm8k/train.jsonl."),
        ("inbox/gsm8k/Train.JSONL", "capital letters", "inbox/gsm8k/train.jsonl."),
        ("inbox/gsm8k/tests.jsonl", "starts no run", "inbox/gsm8k/test.jsonl."),
        ("inbox/gsm8k/recipes.yaml", "starts no run", "inbox/gsm8k/recipe.yaml."),
        ("inbox/gsm8k/data.csv", "starts no run", "tunedrop convert FILE --output train.jsonl"),
        ("inbox/gsm8k/rows.parquet", "the name of a JSON Lines file", "inbox/gsm8k/train.jsonl."),
        ("inbox/train.jsonl.gz", "lies directly in the inbox", "inbox/<name>/train.jsonl"),
        ("inbox/gsm8k/Train.jsonl.GZ", "capital letters", "Drop it as inbox/gsm8k/train.jsonl.gz."),
        ("inbox/gsm8k/training.jsonl.gz", "starts no run", "Drop it as inbox/gsm8k/train.jsonl.gz."),
        ("inbox/gsm8k/tests.jsonl.gz", "starts no run", "Drop it as inbox/gsm8k/test.jsonl.gz."),
        ("inbox/gsm8k/dev.jsonl.gz", "evaluation.validation", "drop it as inbox/gsm8k/test.jsonl.gz; otherwise"),
        ("inbox/gsm8k/recipe.yaml.gz", "is packed", "(gzip -d), and drop what is in it as inbox/gsm8k/recipe.yaml."),
        ("inbox/gsm8k/data.csv.gz", "the name of a JSON Lines file", "tunedrop convert FILE --output train.jsonl"),
        ("inbox/gsm8k/data.csv.zip", "is packed", "(unzip), make rows of what is in it (tunedrop convert"),
        ("inbox/gsm8k/train.jsonl.zip", "is packed", "(unzip), and drop what is in it as inbox/gsm8k/train.jsonl."),
        ("inbox/gsm8k/test.jsonl.zst", "is packed", "(zstd -d), and drop what is in it as inbox/gsm8k/test.jsonl."),
        (
            "inbox/gsm8k/validation.jsonl",
            "evaluation.validation",
            "drop it as inbox/gsm8k/test.jsonl; otherwise leave it out",
        ),
        ("inbox/gsm8k/_SUCCESS", "writes beside its data", "Leave it, or delete it."),
        ("inbox/gsm8k/part-00000-ab.json.gz", "one part of several", "Join the parts"),
        ("inbox/gsm8k/train-00001-of-00002.parquet", "one part of several", "Join the parts"),
        ("inbox/gsm8k/TEST.jsonl", "capital letters", "inbox/gsm8k/test.jsonl."),
        ("inbox/gsm8k/settings.yml", "starts no run", "inbox/gsm8k/recipe.yaml."),
        ("inbox/gsm8k/recipe.jsn", "starts no run", "inbox/gsm8k/recipe.json."),
        ("inbox/gsm8k/recipe.yaml.txt", "starts no run", "Drop it as inbox/gsm8k/recipe.yaml."),
        ("inbox/gsm8k/recipe.toml", "starts no run", "Write it as YAML or JSON, and drop it as inbox/gsm8k/recipe"),
        ("inbox/gsm8k/test.csv", "starts no run", "(tunedrop convert FILE --output test.jsonl)"),
        ("inbox/gsm8k/val.parquet", "starts no run", "drop them as inbox/gsm8k/test.jsonl."),
        ("inbox/gsm8k/dataset.json", "starts no run", "If each of its lines is a row, drop it as inbox/gsm8k/train.js"),
        ("inbox/gsm8k/data.arrow", "of a kind that no run reads", "Export its rows (pandas.read_feather("),
        ("inbox/gsm8k/rows.pdf", "of a kind that no run reads", "Export its rows (with a program that reads it"),
        ("inbox/gsm8k/notes.csv", "starts no run", "(tunedrop convert FILE --output train.jsonl)"),
        ("inbox/gsm8k/photo.png", "is no text", "Drop rows of text"),
        ("inbox/gsm8k/grader.py", "is a program", "docs/own-graders.md"),
        ("inbox/gsm8k/train.jsonl~", "a copy that a program keeps", "Leave it, or delete it."),
        ("inbox/gsm8k/train.jsonl.filepart", "an upload that is not finished", "Leave it, or delete it."),
        ("inbox/gsm8k/state.json", "writes beside its data", "Leave it, or delete it."),
        ("inbox/gsm8k/output.manifest", "starts no run", "tunedrop convert FILE --output train.jsonl"),
        ("inbox/gsm8k/rows.xlsm", "starts no run", "tunedrop convert FILE --output train.jsonl"),
        ("inbox/gsm8k/data.tar.gz", "is packed", "(tar -xzf), and drop what is in it as inbox/gsm8k/train.jsonl."),
        ("inbox/gsm8k/test.gz", "is packed", "drop what is in it as inbox/gsm8k/test.jsonl."),
        ("inbox/gsm8k/train.jsonl.gz.gz", "is packed", "drop what is in it as inbox/gsm8k/train.jsonl.gz."),
        ("inbox/gsm8k/train.rar", "is packed", "(unrar x), and drop what is in it as inbox/gsm8k/train.jsonl."),
        ("inbox/gsm8k/rows.jsonl.gz", "starts no run", "Drop it as inbox/gsm8k/train.jsonl.gz."),
        ("inbox/gsm8k/トレイン.jsonl", "starts no run", "Drop it as inbox/gsm8k/train.jsonl."),
        ("inbox/gsm8k/train-00000-of-00003.parquet", "one part of several", "FROM 'train-*.parquet'"),
        ("inbox/gsm8k/train-00000-of-00001.parquet", "starts no run", "tunedrop convert FILE --output train.jsonl"),
    ],
)
def test_a_wrong_place_or_name_is_told_with_the_right_one(key: str, problem: str, advice: str) -> None:
    remark = look(key)
    assert remark is not None
    assert remark.event == "upload_ignored"
    assert problem in remark.problem
    assert advice in remark.advice


def test_an_empty_sibling_is_told_but_an_empty_train_is_its_run_s_to_tell() -> None:
    remark = look("inbox/gsm8k/test.jsonl", size=0)
    assert remark is not None
    assert "empty" in remark.problem
    assert look("inbox/gsm8k/train.jsonl", size=0) is None


def test_a_recipe_that_no_run_can_use_is_told_with_its_field() -> None:
    remark = look("inbox/gsm8k/recipe.yaml", text=b"modle: x\n")
    assert remark is not None
    assert "`modle`" in remark.problem
    assert "`model`" in remark.problem
    assert look("inbox/gsm8k/recipe.yaml", text=b"grader: {kind: exact}\n") is None


def test_a_sibling_that_its_run_did_not_pin_came_too_late() -> None:
    for name in ("test.jsonl", "recipe.yaml"):
        remark = look(f"inbox/gsm8k/{name}", record=RUN)
        assert remark is not None
        assert (remark.event, remark.run_id) == ("upload_late", RUN.run_id)


def test_a_sibling_that_its_run_pinned_or_may_still_pin_did_not() -> None:
    pinned = replace(RUN, test=PinnedObject("drop", "inbox/gsm8k/test.jsonl", "v2", 10))
    assert look("inbox/gsm8k/test.jsonl", record=pinned) is None
    assert look("inbox/gsm8k/test.jsonl", record=replace(RUN, train=None)) is None


def test_the_training_file_beside_lies_in_the_same_folder() -> None:
    assert trains_beside("inbox/a/b/test.jsonl") == ("inbox/a/b/train.jsonl", "inbox/a/b/train.jsonl.gz")
