"""A dataset's folder: which of its files belong to a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunedrop_client.errors import NoSuchFile

TRAIN, TEST = "train.jsonl", "test.jsonl"
RECIPES = ("recipe.yaml", "recipe.yml", "recipe.json")


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
        NoSuchFile: there is no train.jsonl, or there are several recipes.
    """
    train = folder / TRAIN
    if not train.is_file():
        raise NoSuchFile(f"{folder} holds no {TRAIN}")
    recipes = [folder / name for name in RECIPES if (folder / name).is_file()]
    if len(recipes) > 1:
        raise NoSuchFile(f"{folder} holds several recipes: {', '.join(each.name for each in recipes)}; keep one")
    text = recipes[0].read_text() if recipes else None
    test = folder / TEST
    return DatasetFolder(folder.resolve().name or "dataset", train, test if test.is_file() else None, text)
