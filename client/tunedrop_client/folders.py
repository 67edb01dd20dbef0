"""A dataset's folder: which of its files belong to a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunedrop_client.errors import NoSuchFile

TRAIN = ("train.jsonl", "train.jsonl.gz")
TEST = ("test.jsonl", "test.jsonl.gz")
RECIPES = ("recipe.yaml", "recipe.yml", "recipe.json")
GRADER = "grader.py"

_OWN_GRADER = re.compile(r"""["']?kind["']?\s*:\s*["']?own\b""")
"""A recipe that names a deployed grader, in YAML or JSON: then a `grader.py` beside it is only its source."""


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """What a folder holds; `name` is the folder's own."""

    name: str
    train: Path
    test: Path | None
    recipe_text: str | None


def read_folder(folder: Path) -> DatasetFolder:
    """The files of a dataset. What they say is for the API to check.

    Raises:
        NoSuchFile: there is no train.jsonl, there are several files for one thing, or there is a grader.py that the
            stack would not use.
    """
    train = _only(folder, TRAIN, "training files")
    if train is None:
        raise NoSuchFile(f"{folder} holds no {TRAIN[0]}")
    recipe = _only(folder, RECIPES, "recipes")
    text = recipe.read_text(encoding="utf-8") if recipe else None
    if (folder / GRADER).is_file() and _OWN_GRADER.search(text or "") is None:
        raise NoSuchFile(
            f"{folder} holds a {GRADER}, which a stack does not take from a folder; deploy it as docs/own-graders.md "
            f"says and name it in the recipe (kind: own), or take it out of the folder"
        )
    return DatasetFolder(folder.resolve().name or "dataset", train, _only(folder, TEST, "test files"), text)


def _only(folder: Path, names: Sequence[str], what: str) -> Path | None:
    found = [folder / name for name in names if (folder / name).is_file()]
    if len(found) > 1:
        raise NoSuchFile(f"{folder} holds several {what}: {', '.join(each.name for each in found)}; keep one")
    return found[0] if found else None
