"""Tests that are inputs and outputs: of a whole program (competitive programming), or of one function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tunedrop.graders.sample import JSON

LONGEST_TESTS = 8 * 1024 * 1024
"""Characters of a row's inputs and outputs together."""
FIELDS = (
    *("input_output", "inputs", "public_tests", "private_tests", "generated_tests"),
    *("test_cases", "testcases", "public_test_cases", "private_test_cases", "io_pairs"),
)
_INPUT = ("input", "stdin", "inputs")
_OUTPUT = ("output", "expected_output", "expected", "stdout", "outputs", "answer")


class InputOutputError(ValueError):
    """The inputs and outputs of a row cannot be read; the message says why."""


def function_name(fields: Mapping[str, JSON]) -> str:
    """The function that the inputs are arguments of; empty where they are a program's standard input."""
    inner = _opened(fields.get("input_output"))
    for holder in (inner if isinstance(inner, Mapping) else {}, fields):
        for name in ("fn_name", "entry_point"):
            value = holder.get(name)
            if isinstance(value, str) and value.strip():
                if not value.strip().isidentifier():
                    raise InputOutputError(f"`{name}` must be the name of a function, got {value[:60]!r}")
                return value.strip()
    return ""


def tests_of(fields: Mapping[str, JSON], function: str) -> tuple[str, ...] | None:
    """One test in Python for each input; None where the row has no inputs. Raises InputOutputError.

    Read are APPS' and TACO's `input_output` (an object or its JSON, with `inputs`, `outputs`, `fn_name`), the same
    at the top level, CodeContests' `public_tests`, `private_tests`, `generated_tests` (`input`, `output`), and arrays
    of objects with `input` and `output` (or `stdin`, `expected_output` and the like), also as `test_cases`.
    """
    pairs: list[tuple[JSON, JSON]] = []
    if "inputs" in fields:
        pairs += _pairs(fields)
    for name in FIELDS:
        if name != "inputs" and fields.get(name):
            pairs += _pairs(_opened(fields[name]))
    tests = fields.get("tests")
    if not pairs and isinstance(tests, (Mapping, list)) and _looks_like_pairs(tests):
        pairs += _pairs(tests)
    if not pairs:
        return None
    made = tuple(_called(function, *pair) if function else _run(*pair) for pair in pairs)
    if sum(map(len, made)) > LONGEST_TESTS:
        raise InputOutputError(f"too long: the inputs and outputs may have {LONGEST_TESTS:,} characters together")
    return made


def _looks_like_pairs(tests: JSON) -> bool:
    if isinstance(tests, Mapping):
        return ("input" in tests and "output" in tests) or ("inputs" in tests and "outputs" in tests)
    return isinstance(tests, list) and bool(tests) and all(_is_pair(test) for test in tests)


def _is_pair(test: JSON) -> bool:
    return isinstance(test, Mapping) and any(name in test for name in _INPUT) and any(name in test for name in _OUTPUT)


def _one_of(test: Mapping[str, JSON], names: Sequence[str]) -> JSON:
    return next((test[name] for name in names if name in test), None)


def _opened(value: JSON) -> JSON:
    """JSON that is written as a string, as public datasets have it."""
    if not isinstance(value, str):
        return value
    try:
        opened: JSON = json.loads(value)
    except (ValueError, RecursionError):
        raise InputOutputError("`input_output` is a string, but not JSON") from None
    return opened


def _pairs(value: JSON) -> list[tuple[JSON, JSON]]:
    if isinstance(value, list):
        if not all(_is_pair(each) for each in value):
            raise InputOutputError("an array of tests must hold objects with `input` and `output`")
        return [(_one_of(each, _INPUT), _one_of(each, _OUTPUT)) for each in value if isinstance(each, Mapping)]
    if not isinstance(value, Mapping):
        raise InputOutputError("expected an object with `inputs` and `outputs`")
    inputs = value.get("inputs", value.get("input"))
    outputs = value.get("outputs", value.get("output"))
    if isinstance(inputs, str) and isinstance(outputs, str):
        return [(inputs, outputs)]
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
        raise InputOutputError("`inputs` and `outputs` must be arrays of the same length")
    return list(zip(inputs, outputs, strict=True))


def _run(given: JSON, expected: JSON) -> str:
    return f"assert _same_output(_run_program({_text(given)!r}), {_text(expected)!r})"


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, (str, int, float)) for line in value):
        return "\n".join(map(str, value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise InputOutputError(f"a program's input and output must be text, got {type(value).__name__}")


def _called(function: str, given: JSON, expected: JSON) -> str:
    """LiveCodeBench writes the arguments as lines of JSON and the result as JSON; the others give them as they are."""
    if isinstance(given, str):
        try:
            given = [json.loads(line) for line in given.splitlines() if line.strip()]
            expected = json.loads(expected) if isinstance(expected, str) else expected
        except (ValueError, RecursionError):
            raise InputOutputError("a function's input must be an array of its arguments, or lines of JSON") from None
    if isinstance(given, Mapping):
        arguments = f"**{given!r}"
    elif isinstance(given, Sequence):
        arguments = f"*{given!r}"
    else:
        raise InputOutputError(f"a function's input must be an array of its arguments, got {type(given).__name__}")
    return f"assert _same_value({function}({arguments}), {expected!r})"
