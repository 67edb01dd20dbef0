"""The folder that a user drops: which of its files start a run, and how they get into the inbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.command.exits import UsageError
from tunedrop.identity import INBOX, SIBLINGS, TRAIN_NAME, TRAIN_NAMES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".parquet", ".json", ".csv.gz")
"""Endings of the names of files that `tunedrop convert` makes rows of."""
GRADER_NAME = "grader.py"
DEFAULT_REGION = "us-west-2"
REGIONS = (DEFAULT_REGION, "us-east-1")
"""Those in which models train: a stack on this machine imitates one of them."""


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """A folder with a training file. `name` is what the run is called; `siblings`: in the order of SIBLINGS."""

    name: str
    train: Path
    siblings: tuple[Path, ...]
    grader: Path | None = None
    """A grader.py beside them: a grader of one's own, for this machine only."""

    @classmethod
    def open(cls, path: Path, name: str | None = None) -> DatasetFolder:
        """Look into `path`; what the files say is for the pipeline to check.

        Raises:
            UsageError: there is no such folder, or no train.jsonl (or train.jsonl.gz) in it, or both.
        """
        if not path.exists():
            raise UsageError(f"there is no folder {path}; expected a folder with {TRAIN_NAME}")
        if not path.is_dir():
            raise UsageError(_is_a_file(path))
        found = [path / each for each in TRAIN_NAMES if (path / each).is_file()]
        if len(found) > 1:
            raise UsageError(
                f"{path} has {' and '.join(TRAIN_NAMES)}, and each would start a run; keep only one of them"
            )
        if not found:
            others = sorted(each.name for each in path.iterdir() if each.is_file())
            has = f"it holds {', '.join(others[:6])}{', …' if len(others) > 6 else ''}" if others else "it is empty"
            table = next((each for each in others if each.lower().endswith(_TABLES)), "FILE")
            how = f"tunedrop convert {path / table} --output {path / TRAIN_NAME}"
            raise UsageError(
                f"{path} has no {TRAIN_NAME} ({has}); rename the training file, or make one, as docs/tutorial.md "
                f"shows: {how}"
            )
        siblings = tuple(path / each for each in SIBLINGS if (path / each).is_file())
        grader = path / GRADER_NAME
        return cls(name or path.resolve().name or "dataset", found[0], siblings, grader if grader.is_file() else None)

    def written_recipe(self) -> Mapping[str, Any]:
        """What the recipe says; nothing where there is none.

        Raises:
            UsageError: the recipe cannot be read.
        """
        from tunedrop import recipe_text
        from tunedrop.outcomes import RecipeInvalid

        written: Mapping[str, Any] = {}
        for sibling in self.siblings:
            if sibling.name.startswith("recipe."):
                try:
                    written = recipe_text.parse(sibling.read_bytes(), sibling.name)
                except RecipeInvalid as error:
                    raise UsageError(str(error)) from None
        return written

    def with_recipe(self, folder: Path, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> DatasetFolder:
        """The dataset with its recipe changed; the changed recipe lies in `folder`.

        Raises:
            UsageError: the recipe cannot be read.
        """
        changed = folder / "recipe.json"
        changed.write_text(json.dumps(change(self.written_recipe()), default=str))
        others = tuple(sibling for sibling in self.siblings if not sibling.name.startswith("recipe."))
        return replace(self, siblings=(*others, changed))

    @property
    def region(self) -> str:
        """The Region whose stack the recipe's model trains in; the open-weight models' where the recipe cannot say."""
        from tunedrop import catalog, recipe_text
        from tunedrop.outcomes import RecipeInvalid

        for each in self.siblings:
            if each.name.startswith("recipe."):
                try:
                    model = recipe_text.parse(each.read_bytes(), each.name).get("model")
                    return catalog.find(str(model)).region if model else DEFAULT_REGION
                except RecipeInvalid:
                    # The pipeline says better what is wrong with it.
                    return DEFAULT_REGION
        return DEFAULT_REGION

    def upload(self, s3: S3Client, bucket: str, prefix: str = INBOX) -> tuple[str, str]:
        """Put the files below `<prefix><name>/`, train.jsonl last, as it starts the run; its key and its version."""
        for sibling in self.siblings:
            _put(s3, bucket, f"{prefix}{self.name}/{sibling.name}", sibling)
        key = f"{prefix}{self.name}/{self.train.name}"
        return key, _put(s3, bucket, key, self.train)


def _is_a_file(path: Path) -> str:
    folder, train = path.parent, path.parent / TRAIN_NAME
    if path.name in TRAIN_NAMES or any((folder / each).is_file() for each in TRAIN_NAMES):
        return f"{path} is a file; name the folder that holds {TRAIN_NAME}: {folder}"
    if path.name.lower().endswith(_TABLES):
        return (
            f"{path} is a file; make rows of it, see docs/tutorial.md (`tunedrop convert {path} --output {train}`), "
            f"and name the folder: {folder}"
        )
    return f"{path} is a file; rename it to {TRAIN_NAME}, and name the folder: {folder}"


def _put(s3: S3Client, bucket: str, key: str, path: Path) -> str:
    with path.open("rb") as body:
        return s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId", "")
