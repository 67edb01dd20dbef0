"""What a row of a code dataset says about its tests, in any of the forms that public datasets use."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tunedrop.graders.code import input_output, pytest_cases, unittest_cases
from tunedrop.graders.code.pytest_cases import FUNCTIONS, Function
from tunedrop.graders.code_sandbox.modules import EMPTIED, PRELOADED
from tunedrop.graders.code_sandbox.pytest_tools import KNOWN as KNOWN_OF_PYTEST
from tunedrop.graders.code_sandbox.pytest_tools import KNOWN_MARKS
from tunedrop.graders.late_pattern import late
from tunedrop.graders.sample import JSON

_TEST_FIELDS = ("tests", "test_list", "test", "test_code", "unit_tests", "unit_test", "assertions", "asserts")
_ALSO_ASSERTS = ("test_cases", "testcases", "public_test_cases")
"""Fields of inputs and outputs that may hold asserts instead, as AceCode's do."""
_SETUP_FIELDS = ("setup", "test_setup_code", "test_imports")
_BUILTINS = frozenset(dir(builtins))
MOST_TESTS = 1_000
LONGEST_TESTS = 1_000_000
"""Characters of all tests of a row: they are parsed in the grader's own process."""


_IMPORT_OF_THE_CODE = late(
    r"^([ \t]*)from (?:solution|main|answer|submission|your_module) import (?!.* as )(?:\([^()]*\)|[^\n(]+)$",
    re.MULTILINE,
)
"""What tests of pytest begin with (`from solution import f`): the code's names are there without it."""


class TestsError(ValueError):
    """A row's reference gives no tests that can be run."""

    __test__ = False  # pytest would take the name for a test class


@dataclass(frozen=True, slots=True)
class TestPlan:
    """The tests of one row and what they need."""

    __test__ = False

    tests: tuple[str, ...]
    setup: str
    """Run once before the tests, beside them."""
    preamble: str
    """Run before the generated code, in its process: classes that the task gives, for example."""
    names: tuple[str, ...]
    """What the tests take from the generated code."""
    modules: tuple[str, ...]
    """Standard modules that the tests use without importing them."""
    program: bool = False
    """Whether the code is a whole program that reads standard input, run anew for each test."""


def plan_of(reference: JSON, row: Mapping[str, JSON]) -> TestPlan:
    """Read the tests of a row.

    The reference is the source of the tests as one string or an array of strings, or an object with `tests` (or
    MBPP's `test_list`, HumanEval's `test`), and where needed `setup` (`test_setup_code`), `preamble`, `entry_point`.
    Inputs and outputs are tests too (`input_output`). Where the reference has no tests, the row's own fields of these
    names count. Raises TestsError.
    """
    fields: Mapping[str, JSON] = row
    if isinstance(reference, str) and reference.lstrip().startswith("{") and '"inputs"' in reference:
        fields = {"input_output": reference}
    elif isinstance(reference, (str, list)):
        fields = {"tests": reference}
    elif isinstance(reference, Mapping) and any(name in reference for name in (*_TEST_FIELDS, *input_output.FIELDS)):
        fields = reference
    elif isinstance(reference, Mapping) and "input" in reference and "output" in reference:
        fields = {"tests": reference}
    asserts = next((name for name in _ALSO_ASSERTS if _are_asserts(fields.get(name))), None)
    if asserts is not None:
        fields = {**fields, asserts: None, "tests": fields[asserts]}
    pairs = _from_pairs(fields)
    if pairs is not None:
        return pairs
    found = next((fields[name] for name in _TEST_FIELDS if fields.get(name)), None)
    if found is None:
        raise TestsError(
            "the reference has no tests: expected Python source, an array of it, or an object with `tests`"
        )
    entry = _text(fields.get("entry_point"), "entry_point")
    setup = _source(next((fields[name] for name in _SETUP_FIELDS if fields.get(name)), ""), "setup")
    preamble = _source(fields.get("preamble") or "", "preamble")
    tests = _tests(found, entry)
    if len(tests) > MOST_TESTS or sum(map(len, tests)) > LONGEST_TESTS:
        raise TestsError(f"too many tests: at most {MOST_TESTS:,} of {LONGEST_TESTS:,} characters together")
    trees = [_parsed(source, f"test {number}") for number, source in enumerate(tests, start=1)]
    trees.insert(0, _parsed(setup, "setup"))
    _parsed(preamble, "preamble")
    _check_imports(trees)
    modules, names = _taken_names(trees, entry)
    return TestPlan(tests, setup, preamble, names, modules)


def _from_pairs(fields: Mapping[str, JSON]) -> TestPlan | None:
    try:
        function = input_output.function_name(fields)
        tests = input_output.tests_of(fields, function)
    except input_output.InputOutputError as error:
        raise TestsError(str(error)) from None
    if tests is None:
        return None
    if len(tests) > MOST_TESTS:
        raise TestsError(f"too many tests: {len(tests):,}, at most {MOST_TESTS:,}")
    setup = _source(next((fields[name] for name in _SETUP_FIELDS if fields.get(name)), ""), "setup")
    preamble = _source(fields.get("preamble") or "", "preamble")
    _check_imports([_parsed(setup, "setup")])
    _parsed(preamble, "preamble")
    return TestPlan(tests, setup, preamble, (function,) if function else (), (), program=not function)


def _are_asserts(value: JSON) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(test, str) and "assert" in test for test in value)


def _text(value: JSON, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TestsError(f"`{field}` must be a string, got {type(value).__name__}")
    return value.strip()


def _source(value: JSON, field: str) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "\n".join(str(line) for line in value)
    if not isinstance(value, str):
        raise TestsError(f"`{field}` must be Python source, got {type(value).__name__}")
    return _IMPORT_OF_THE_CODE.sub(r"\1pass", value.replace("\r\n", "\n"))


def _tests(found: JSON, entry: str) -> tuple[str, ...]:
    if isinstance(found, str):
        return tuple(_split(_source(found, "tests"), entry))
    if isinstance(found, Sequence) and found and all(isinstance(test, str) and test.strip() for test in found):
        return tuple(one for test in found for one in _with_calls(_source(test, "tests"), entry))
    raise TestsError("`tests` must be Python source or a non-empty array of it")


def _split(source: str, entry: str) -> Iterator[str]:
    """One test for each assert at the top level, with the statements before it; test functions are called."""
    tree = _parsed(source, "tests")
    cases = unittest_cases.tests_of(tree)
    if cases:
        yield from cases
        return
    pending: list[ast.stmt] = []
    for statement in tree.body:
        pending.append(statement)
        if isinstance(statement, ast.Assert):
            yield ast.unparse(ast.Module(pending, []))
            pending = []
    calls = _calls(tree, entry)
    check = next((part for part in tree.body if isinstance(part, FUNCTIONS) and part.name == "check"), None)
    if check is not None:  # HumanEval's form: def check(candidate)
        if not entry:
            raise TestsError("tests with a `check(candidate)` function need `entry_point`, the name to check")
        calls = [_run(check, entry)]
    rest = ast.unparse(ast.Module(pending, []))
    if calls:
        yield f"{rest}\n{calls[0]}"
        yield from calls[1:]
    elif pending:
        yield rest


def _with_calls(source: str, entry: str) -> list[str]:
    """A test of an array as it is; functions named `test…` that stand alone in it are called, as pytest would.

    A class of `unittest` is as many tests as it has methods.
    """
    tree = _parsed(source, "tests")
    cases = unittest_cases.tests_of(tree)
    if cases:
        return cases
    if not all(isinstance(part, (*FUNCTIONS, ast.Import, ast.ImportFrom, ast.Assign)) for part in tree.body):
        return [source]
    return ["\n".join([source, *_calls(tree, entry)])]


def _calls(tree: ast.Module, entry: str) -> list[str]:
    """What runs the test functions of a source, as pytest would. Raises TestsError where a fixture is lacking."""
    missing = pytest_cases.missing_fixture(tree)
    if missing is not None and not entry:
        raise TestsError(
            f"the test {missing[0]} takes {missing[1]!r}, which is no fixture of these tests; the sandbox has no "
            "fixtures of pytest's own, such as capsys and tmp_path"
        )
    fixtures = bool(pytest_cases.fixtures_of(tree))
    return [_call_of(function, entry, fixtures) for function in pytest_cases.tests_of(tree)]


def _call_of(function: Function, entry: str, fixtures: bool) -> str:
    """What runs a test function, with its fixtures, or with the code where it takes that: `def test(candidate)`."""
    if not function.decorator_list and entry and len(pytest_cases.needed(function)) == 1:
        return _run(function, entry)
    if fixtures or pytest_cases.needed(function) or function.decorator_list:
        return f"{pytest_cases.CALL}({function.name}, globals())"
    return _run(function, "")


def _run(function: Function, argument: str) -> str:
    call = f"{function.name}({argument})"
    return f"import asyncio\nasyncio.run({call})" if isinstance(function, ast.AsyncFunctionDef) else call


def _parsed(source: str, where: str) -> ast.Module:
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # it would quote the row in the log
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TestsError(f"{where} is not Python: {error}") from None


def _check_imports(trees: Iterable[ast.Module]) -> None:
    for tree in trees:
        for node in ast.walk(tree):
            wanted: list[str] = []
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                wanted = [node.module or ""]
            taken = _taken_from_pytest(node)
            if not set(taken) <= set(KNOWN_OF_PYTEST):
                known = ", ".join(f"pytest.{name}" for name in KNOWN_OF_PYTEST)
                raise TestsError(
                    f"the tests use pytest.{min(set(taken) - set(KNOWN_OF_PYTEST))}; the sandbox has {known}"
                )
            for name in wanted:
                if (name not in PRELOADED or name in EMPTIED) and name != "pytest":
                    raise TestsError(f"the tests import {name!r}; the sandbox has parts of the standard library only")


def _taken_from_pytest(node: ast.AST) -> list[str]:
    match node:
        case ast.ImportFrom(module="pytest", names=aliases):
            return [alias.name for alias in aliases]
        case ast.Attribute(value=ast.Name(id="pytest"), attr=name):
            return [name]
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="pytest"), attr="mark"), attr=name):
            return [] if name in KNOWN_MARKS else [f"mark.{name}"]
    return []


def _taken_names(trees: Sequence[ast.Module], entry: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(modules, names): what the tests use without defining it, told apart without looking at the answer.

    A name is the code's only if the tests call or use it and nobody else defines it. Built-in functions and standard
    modules are never taken from the code, or it could define a `set` or a `math` that makes any test pass; except
    where `entry_point` says so, or where the tests call nothing but a built-in name (MBPP asks for a `sum`).
    """
    used: dict[str, None] = {}  # in order
    bound: set[str] = {pytest_cases.CALL}
    called: set[str] = set()
    calls_by_depth: list[tuple[int, str]] = []
    for tree in trees:
        for node, depth in _walk(tree, 0):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    used.setdefault(name)
                case ast.Name(id=name):
                    bound.add(name)
                case ast.arg(arg=name) | ast.ClassDef(name=name):
                    bound.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    bound.add(name)
                case ast.alias(name=name, asname=other):
                    bound.add(other or name.partition(".")[0])
                case ast.ExceptHandler(name=str(name)):
                    bound.add(name)
                case ast.Call(func=ast.Name(id=name)):
                    called.add(name)
                    calls_by_depth.append((depth, name))
    free = [name for name in used if name not in bound and name not in _BUILTINS]
    modules = tuple(name for name in free if name in PRELOADED and name not in called and name != entry)
    names = [name for name in free if name not in modules]
    if entry and entry not in names:
        names.append(entry)
    if not names:
        deepest = [name for _, name in sorted(calls_by_depth, reverse=True) if name not in bound][:1]
        if not deepest:
            raise TestsError("the tests use nothing that the code could define")
        names = deepest
    return modules, tuple(names)


def _walk(node: ast.AST, depth: int) -> Iterator[tuple[ast.AST, int]]:
    waiting = deque([(node, depth)])
    while waiting:
        current, level = waiting.popleft()
        yield current, level
        waiting.extend((child, level + 1) for child in ast.iter_child_nodes(current))


def why_never(plan: TestPlan) -> str:
    """Why tests that no answer can fail cannot fail, as far as their source tells."""
    trees = [_parsed(source, "a test") for source in plan.tests]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    if any(isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts for node in nodes):
        reason = "`assert (…, …)` is always true; write the condition without the parentheses"
    elif not any(isinstance(node, (ast.Assert, ast.Raise)) for node in nodes):
        reason = "they assert nothing"
    elif any(isinstance(part, ast.ClassDef) for tree in trees for part in tree.body):
        reason = "a plain class of tests never runs; write asserts, functions named `test…`, or a class of `unittest`"
    elif any("__main__" in ast.unparse(part.test) for tree in trees for part in tree.body if isinstance(part, ast.If)):
        reason = "code below `if __name__ == '__main__'` never runs"
    elif all(isinstance(part, FUNCTIONS) for tree in trees for part in tree.body):
        reason = "their functions are never called"
    elif any(isinstance(node, ast.Try) for node in nodes):
        reason = "they may swallow their own AssertionError"
    else:
        reason = "compare with a plain value"
    return f"the tests cannot fail: a program that does nothing passes them ({reason})"
