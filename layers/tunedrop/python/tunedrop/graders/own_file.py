"""A grader of one's own: a file of Python that says how an answer is graded. The kind is called `own/NAME`.

    OPTIONS = {"words": 20}                    # optional: the options with their defaults
    DEADLINE_SECONDS = 5.0                     # optional: what one answer gets
    def grade(sample, options): ...            # a reward, or a Grade
    def check_reference(reference, row): ...   # optional: why a row cannot be graded, or None

The file is parsed here, and run only in a worker process that can be killed.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tunedrop.graders.sample import DEADLINE_SECONDS, JSON, Grade, OptionsError, Sample, require_known

NAME = r"[a-z][a-z0-9_]{0,39}"
LONGEST_DEADLINE = 60.0
"""Seconds that a file may ask for one answer."""
FOLDER_VARIABLE = "OWN_GRADERS_FOLDER"
"""The environment variable that names the folder, where it is not beside the package."""
_DEPLOYED_FOLDER = Path(__file__).resolve().parents[2] / "own_graders"


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What a file says of itself, without running it."""

    path: Path
    name: str
    summary: str
    options: Mapping[str, JSON]
    """Each option with its default."""
    takes_options: bool
    """Whether `grade` wants them beside the sample."""
    deadline_seconds: float


def folder() -> Path:
    """Where the files are that this process may grade with: beside the package, or where OWN_GRADERS_FOLDER says."""
    return Path(os.environ.get(FOLDER_VARIABLE) or _DEPLOYED_FOLDER)


def named(name: str) -> OwnFile:
    """The file of this name. Raises OptionsError where there is none, or it is no grader."""
    path = folder() / f"{name}.py"
    if re.fullmatch(NAME, name) is None or not path.is_file():
        there = ", ".join(each.stem for each in files_in(folder())) or "none"
        raise OptionsError(f"There is no own grader {name[:40]!r} here; there is {there}.")
    return read_file(path)


def files_in(directory: Path) -> list[Path]:
    """The graders of a folder, by name; tests beside them are none."""
    if not directory.is_dir():
        return []
    found = sorted(directory.glob("*.py"))
    return [each for each in found if re.fullmatch(NAME, each.stem) and not each.stem.startswith("test_")]


def read_file(path: Path) -> OwnFile:
    """What the file says of itself. It is not run. Raises OptionsError, naming the file and what it lacks."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise OptionsError(f"{path} cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> OwnFile:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise OptionsError(f"{path.name} is no Python that can be read: {error}.") from None
    functions = {part.name: part for part in tree.body if isinstance(part, ast.FunctionDef)}
    grade = functions.get("grade")
    count = 0 if grade is None else len(grade.args.posonlyargs) + len(grade.args.args)
    if count not in (1, 2):
        raise OptionsError(f"{path.name} needs a function grade(sample), or grade(sample, options).")
    options = _literal(tree, "OPTIONS", {}, path)
    if not isinstance(options, dict) or not all(isinstance(name, str) for name in options):
        raise OptionsError(
            f"{path.name}: OPTIONS must be a dictionary of the options' names and defaults, got {options!r:.200}."
        )
    seconds = _literal(tree, "DEADLINE_SECONDS", DEADLINE_SECONDS, path)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= LONGEST_DEADLINE:
        raise OptionsError(
            f"{path.name}: DEADLINE_SECONDS must be above 0 and at most {LONGEST_DEADLINE:g}, got {seconds!r}."
        )
    summary = (ast.get_docstring(tree) or path.stem).partition("\n")[0]
    return OwnFile(path, path.stem, summary, options, count == 2, float(seconds))


def _literal(tree: ast.Module, name: str, usual: Any, path: Path) -> Any:
    for part in tree.body:
        target = part.targets[0] if isinstance(part, ast.Assign) else getattr(part, "target", None)
        value = getattr(part, "value", None)
        if isinstance(target, ast.Name) and target.id == name and value is not None:
            try:
                return ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise OptionsError(
                    f"{path.name}: {name} must be written out, not computed: it is read before the file runs."
                ) from None
    return usual


class OwnGrader:
    """The grader that a file describes, with its options."""

    def __init__(self, file: OwnFile, options: Mapping[str, JSON]) -> None:
        """Raises OptionsError for an option that the file does not name."""
        require_known(options, tuple(file.options), f"The own grader {file.name} has")
        self._file = file
        self._options = {**file.options, **options}
        self._module: ModuleType | None = None

    def warm_up(self) -> None:
        """Run the file, so that its functions are there."""
        self._loaded()

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """What the file says, if it says something about references."""
        check: Callable[..., Any] | None = getattr(self._loaded(), "check_reference", None)
        return None if check is None else check(reference, row)

    def grade(self, sample: Sample) -> Grade:
        """What the file says. Raises ValueError for a row that it refuses, TypeError for what is no reward."""
        module = self._loaded()
        fault = self.check_reference(sample.reference, sample.row)
        if fault:
            raise ValueError(fault)
        given = module.grade(sample, dict(self._options)) if self._file.takes_options else module.grade(sample)
        if isinstance(given, Grade):
            return given
        if not isinstance(given, (bool, int, float)):
            raise TypeError(f"grade must return a number or a Grade, got {type(given).__name__}")
        return Grade(float(given), {}, given if isinstance(given, bool) else None, f"{self._file.name}: {given:g}.")

    def _loaded(self) -> ModuleType:
        if self._module is None:
            name = f"tunedrop_own_grader_{self._file.name}"
            spec = importlib.util.spec_from_file_location(name, self._file.path)
            if spec is None or spec.loader is None:
                raise ImportError(f"{self._file.path.name} cannot be loaded")
            self._module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self._module)
        return self._module
