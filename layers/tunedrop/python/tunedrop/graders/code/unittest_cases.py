"""Tests of a row that are written as classes of `unittest`, as BigCodeBench has them: each method is one test."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def cases_of(tree: ast.Module) -> Iterator[tuple[str, str]] | None:
    """(class, method) of each test, in order; None where no class is a TestCase."""
    classes = [part for part in tree.body if isinstance(part, ast.ClassDef) and any(map(_is_case, part.bases))]
    if not classes:
        return None
    return (
        (each.name, part.name)
        for each in classes
        for part in each.body
        if isinstance(part, _METHODS[any(map(_is_async, each.bases))]) and part.name.startswith("test")
    )


def tests_of(tree: ast.Module) -> list[str] | None:
    """The source of each test, None where no class is a TestCase. A runner at the end (`unittest.main()`) is left out.

    `debug` runs one method with its `setUp` and `tearDown` and raises what the method raises.
    """
    cases = cases_of(tree)
    if cases is None:
        return None
    body = [part for part in tree.body if not _is_runner(part)]
    source = ast.unparse(ast.Module(body, []))
    return [f"{source}\n{name}.setUpClass()\n{name}({method!r}).debug()" for name, method in cases]


_METHODS = {False: (ast.FunctionDef,), True: (ast.FunctionDef, ast.AsyncFunctionDef)}
"""What a class of `unittest` runs as a test: a coroutine only where the class has an event loop."""


def _is_async(base: ast.expr) -> bool:
    return _name_of(base) == "IsolatedAsyncioTestCase"


def _is_case(base: ast.expr) -> bool:
    return _name_of(base) in ("TestCase", "IsolatedAsyncioTestCase")


def _name_of(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def _is_runner(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return "__main__" in ast.unparse(statement.test)
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(("unittest.main(", "main("))
