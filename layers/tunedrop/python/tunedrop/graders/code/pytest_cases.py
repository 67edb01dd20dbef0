"""Tests of a row that are functions as pytest collects them, which may take fixtures.

What runs them, with their fixtures, is `pytest_tools`; here is what their source tells without running it.
"""

from __future__ import annotations

import ast

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CALL = "_call_test"
"""The name under which the tests find `pytest_tools.call`."""


def tests_of(tree: ast.Module) -> list[Function]:
    """The functions named `test…` that nothing of the source's top level calls."""
    called = {
        node.func.id
        for part in tree.body
        if not isinstance(part, (*FUNCTIONS, ast.ClassDef))
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    found = [part for part in tree.body if isinstance(part, FUNCTIONS) and part.name.startswith("test")]
    return [function for function in found if function.name not in called and not _is_fixture(function)]


def needed(function: Function) -> list[str]:
    """The parameters that a test must be given."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    own = [each.arg for each in parameters[: len(parameters) - len(function.args.defaults)]]
    own += [
        each.arg for each, usual in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if not usual
    ]
    return own


def missing_fixture(tree: ast.Module) -> tuple[str, str] | None:
    """The first test with a parameter that no fixture and no `parametrize` of the source gives, and the parameter."""
    for function in tests_of(tree):
        given = _parametrized(function)
        lacking = (
            [] if given is None else [name for name in needed(function) if name not in {*given, *fixtures_of(tree)}]
        )
        if lacking:
            return function.name, lacking[0]
    return None


def fixtures_of(tree: ast.Module) -> set[str]:
    """The names of the fixtures that a source defines."""
    return {part.name for part in ast.walk(tree) if isinstance(part, FUNCTIONS) and _is_fixture(part)}


def _is_fixture(function: Function) -> bool:
    return any(_name_of(decorator) == "fixture" for decorator in function.decorator_list)


def _parametrized(function: Function) -> set[str] | None:
    """The parameters that the function's `parametrize` marks give; None where they cannot be told."""
    found: set[str] = set()
    for decorator in function.decorator_list:
        if _name_of(decorator) in ("asyncio", "anyio"):
            continue
        if _name_of(decorator) != "parametrize" or not isinstance(decorator, ast.Call) or not decorator.args:
            return None  # `@mock.patch(…)` gives one, too
        try:
            names = ast.literal_eval(decorator.args[0])
        except ValueError:
            return None
        found.update(name.strip() for name in (names.split(",") if isinstance(names, str) else map(str, names)))
    return found


def _name_of(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
