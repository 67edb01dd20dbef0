"""Which files of a folder the client takes, and which folders it refuses before anything is uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunedrop_client import Client, NoSuchFile
from tunedrop_client.folders import read_folder


def folder(path: Path, *names: str, recipe: str = "labels: {}") -> Path:
    for name in names:
        (path / name).write_text(recipe if name.startswith("recipe") else "{}\n")
    return path


def test_files_that_are_packed_are_taken_as_those_that_are_not(tmp_path: Path) -> None:
    found = read_folder(folder(tmp_path, "train.jsonl.gz", "test.jsonl.gz", "recipe.yml", "notes.txt"))
    assert (found.name, found.recipe_text) == (tmp_path.name, "labels: {}")
    assert (found.train.name, found.test and found.test.name) == ("train.jsonl.gz", "test.jsonl.gz")


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((), "holds no train.jsonl"),
        (("train.jsonl", "train.jsonl.gz"), "several training files: train.jsonl, train.jsonl.gz; keep one"),
        (("train.jsonl", "test.jsonl", "test.jsonl.gz"), "several test files"),
        (("train.jsonl", "recipe.yaml", "recipe.json"), "several recipes: recipe.yaml, recipe.json"),
        (("train.jsonl", "grader.py"), "holds a grader.py, which a stack does not take from a folder"),
    ],
)
def test_a_folder_that_says_two_things_or_nothing_is_refused(tmp_path: Path, names: tuple[str, ...], why: str) -> None:
    with pytest.raises(NoSuchFile, match=why):
        read_folder(folder(tmp_path, *names))


@pytest.mark.parametrize("recipe", ["grader: {kind: own, function: brief}", '{"grader": {"kind": "own"}}'])
def test_the_source_of_a_grader_that_the_recipe_names_may_lie_there(tmp_path: Path, recipe: str) -> None:
    assert read_folder(folder(tmp_path, "train.jsonl", "recipe.yaml", "grader.py", recipe=recipe)).recipe_text == recipe


def test_a_file_that_is_not_there_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-nobody")
    client = Client(api_url="https://id.execute-api.us-west-2.amazonaws.com/v1")
    with pytest.raises(NoSuchFile, match=r"there is no file .*train\.jsonl"):
        client.start("sums", tmp_path / "train.jsonl")
