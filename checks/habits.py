"""Habits of the tests that no linter knows: short names, and no import from another test.

`python -m checks.habits` prints each breach, and fails if there is one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from checks.sam_template import ROOT

FOLDERS = ("tests", "embedded_aws/tests")
LONGEST_NAME = 80
_IN_NO_MODULE_OF_ITS_OWN = ("conftest", "test_", "bench_")


def breaches(source: str) -> Iterator[tuple[int, str]]:
    """The line and the breach, for each breach in a module of tests."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test_") and len(name) > LONGEST_NAME:
                    yield node.lineno, f"{name} has {len(name)} characters, at most {LONGEST_NAME} are allowed"
            case ast.ImportFrom(module=str(module)) if _holds_tests(module):
                yield node.lineno, f"{module} holds tests or fixtures: move what you import into a module of its own"
            case ast.Import(names=names):
                for alias in names:
                    if _holds_tests(alias.name):
                        yield node.lineno, f"{alias.name} holds tests or fixtures: import none of them"


def _holds_tests(module: str) -> bool:
    return module.rpartition(".")[2].startswith(_IN_NO_MODULE_OF_ITS_OWN)


def main() -> int:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {breach}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, breach in breaches(path.read_text())
    ]
    for each in found:
        sys.stderr.write(f"{each}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
