"""The `python` grader of a definition: its source runs in the code sandbox, with nothing but the answer and the row."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache

from tunedrop.graders.code.sandbox import Limits, Sandbox
from tunedrop.graders.code_sandbox.modules import EMPTIED, PRELOADED
from tunedrop.graders.sample import JSON, OptionsError

LIMITS = Limits(wall_seconds=10.0, cpu_seconds=10.0, memory_bytes=512 * 1024**2)
LONGEST_SECONDS = LIMITS.wall_seconds + 3.0
"""What one source may take of the answer's time, with what the sandbox needs around it."""
LONGEST_SOURCE = 256 * 1024
"""Characters; OpenAI's own limit is 256 KB."""
LIBRARIES = ("rapidfuzz",)
"""Packages that a source may import; OpenAI has more (numpy, scipy, pandas …), which are not deployed here."""


@lru_cache(maxsize=1)
def sandbox() -> Sandbox:
    """The one sandbox of this process for all sources."""
    return Sandbox(libraries=LIBRARIES)


class PythonGrader:
    """`def grade(sample, item) -> float`, as OpenAI documents it."""

    def __init__(self, definition: Mapping[str, JSON], where: str) -> None:
        """Raises OptionsError where the source is no such function, or imports what the sandbox does not have."""
        source = definition.get("source")
        if not isinstance(source, str) or len(source) > LONGEST_SOURCE:
            raise OptionsError(
                f"{where}: a python grader needs `source`, a text of at most {LONGEST_SOURCE:,} characters."
            )
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise OptionsError(f"{where}: source is no Python that can be read: {error}.") from None
        if not any(isinstance(part, ast.FunctionDef) and part.name == "grade" for part in tree.body):
            raise OptionsError(f"{where}: source needs a function grade(sample, item).")
        for name in _imported(tree):
            if name.partition(".")[0] not in LIBRARIES and (name not in PRELOADED or name in EMPTIED):
                raise OptionsError(
                    f"{where}: source imports {name!r}; the sandbox has the computing part of the standard library "
                    f"and {', '.join(LIBRARIES)}."
                )
        self._source = source

    def score(self, sample: Mapping[str, JSON], item: Mapping[str, JSON]) -> float:
        """What the function gives. Raises CallFailed where it gives no number, SandboxError."""
        return sandbox().call(self._source, "grade", [sample, item], LIMITS)


def _imported(tree: ast.Module) -> list[str]:
    """What the source imports at its top level, where nothing catches that it is not there."""
    found: list[str] = []
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            found += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            found.append(statement.module or "")
    return found
