"""Answers that are Python code."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from random import Random
from typing import Any

from local.bedrock.rendering.form import Form

_SOURCE_FIELDS = ("code", "solution", "canonical_solution", "reference_code", "reference_solution")
_TEST_FIELDS = ("tests", "test_list", "test", "unit_tests", "asserts", "test_code", "test_cases")


class Program(Form[str]):
    """The reference code, and mutants of it."""

    def __init__(self, source: str) -> None:
        self._source = source

    def right(self) -> str:
        return self._source

    def wrong(self, chance: Random) -> str:
        return mutant(self._source, chance)

    def asked(self, result: str) -> tuple[str, ...]:
        return (f"```python\n{result}\n```",)

    def other(self, result: str) -> tuple[str, ...]:
        return (result,)

    def buried(self, result: str) -> tuple[str, ...]:
        lines = [f"{number}. {line}" for number, line in enumerate(result.splitlines(), 1)]
        return ("\n".join(["You could do it like this:", *lines]),)

    def hedged(self, results: list[str]) -> tuple[str, ...]:
        return ("\n\nIf that does not work, try this:\n\n".join(f"```python\n{result}\n```" for result in results),)


def source_and_tests(*places: Mapping[str, Any]) -> tuple[str | None, bool]:
    """(the reference code, or None; whether there are tests) in the first of `places` that has them."""
    source = next((place[name] for place in places for name in _SOURCE_FIELDS if _is_code(place.get(name))), None)
    tested = any(place.get(name) for place in places for name in _TEST_FIELDS)
    return (source.replace("\r\n", "\n").strip() if source is not None else None), tested


def _is_code(text: object) -> bool:
    """Whether a text is Python that defines something; a word or a sentence can parse too, and is none."""
    if not isinstance(text, str) or not re.search(r"^\s*(def|class|import|from|\w+\s*=)", text, re.MULTILINE):
        return False
    try:
        _parsed(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # of a dataset's code, not of ours
        return ast.parse(source)


def mutant(source: str, chance: Random) -> str:
    """The code with its last result spoilt: nothing returned, or something beside the point."""
    tree = _parsed(source)
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if not returns:
        return f"{source}\nraise NotImplementedError"
    spoilt = chance.choice(("None", "off_by_one", "wrapped"))
    for node in returns:
        given = node.value or ast.Constant(None)
        if spoilt == "off_by_one":
            node.value = ast.BinOp(given, ast.Add(), ast.Constant(1))
        elif spoilt == "wrapped":
            node.value = ast.List([given, ast.Constant(None)], ast.Load())
        else:
            node.value = ast.Constant(None)
    return ast.unparse(ast.fix_missing_locations(tree))
