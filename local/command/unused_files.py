"""Files that seem to be the test set or the recipe of a folder, but have another name: no run uses them."""

from __future__ import annotations

import sys
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from tunedrop.identity import RECIPE_NAMES, TEST_NAMES

_SURELY: Final = 0.8
"""Likeness of two stems from which one is the other, misspelled: `receipe` is 0.92 like `recipe`, `text` 0.75 like
`test`."""
_ROWS: Final = (".jsonl", ".jsonl.gz", ".ndjson")
_DATA: Final = (
    *_ROWS,
    ".json",
    ".csv",
    ".tsv",
    ".xlsx",
    ".xls",
    ".ods",
    ".parquet",
    ".txt",
    ".gz",
    ".zst",
    ".zip",
    ".xz",
)
_RECIPES: Final = (".yaml", ".yml", ".json", ".txt")
_VALIDATION: Final = ("validation", "valid", "val", "dev", "eval", "evaluation", "holdout")


def tell_unused(folder: Path) -> None:
    """Say on standard error which files nothing will read, each with the name that it should have."""
    for sentence in unused(folder):
        print(f"tunedrop: {sentence}", file=sys.stderr)


def unused(folder: Path) -> list[str]:
    """One sentence for each file that seems to be a test set or a recipe, where the folder has none."""
    files = sorted(each.name for each in folder.iterdir() if each.is_file())
    told = []
    if not any(name in TEST_NAMES for name in files):
        told += [_of_test(folder, name) for name in files if _means(name, "test", _DATA, _VALIDATION)]
    if not any(name in RECIPE_NAMES for name in files):
        told += [_of_recipe(name) for name in files if _means(name, "recipe", _RECIPES)]
    return told


def _means(name: str, stem: str, endings: tuple[str, ...], also: tuple[str, ...] = ()) -> bool:
    lower = name.lower()
    if not lower.endswith(endings) or lower.startswith("."):
        return False
    own = lower.partition(".")[0]
    if own.startswith(stem) or own in also or sorted(own) == sorted(stem):
        return True
    return SequenceMatcher(None, own, stem).ratio() >= _SURELY


def _of_test(folder: Path, name: str) -> str:
    packed = ".gz" if name.lower().endswith(".gz") else ""
    right = f"{TEST_NAMES[0]}{packed}"
    how = f"rename it to {right}"
    if not name.lower().endswith(_ROWS):
        how = f"make rows of it: `tunedrop convert {folder / name} --output {folder / TEST_NAMES[0]}`"
    return f"{name} is not used, as the test set is called {right}; if it is the test set, {how}"


def _of_recipe(name: str) -> str:
    ending = next(
        (each for each in RECIPE_NAMES if name.lower().endswith(each.removeprefix("recipe"))), RECIPE_NAMES[0]
    )
    known = " or ".join(RECIPE_NAMES)
    return f"{name} is not used, as the recipe is called {known}; if it is the recipe, rename it to {ending}"
