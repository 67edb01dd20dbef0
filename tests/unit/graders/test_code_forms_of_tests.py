"""Tests of code rows in the forms of public datasets, and what is said of those that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunedrop.graders.code.reference import MOST_TESTS, TestsError, plan_of

CASES = """\
import unittest

class Adds(unittest.TestCase):
    def test_two(self):
        self.assertEqual(add(1, 1), 2)

    def test_none(self):
        self.assertEqual(add(0, 0), 0)

if __name__ == "__main__":
    unittest.main()
"""


@pytest.mark.parametrize("ending", ["", "unittest.main(verbosity=2)\n"])
def test_each_method_of_a_test_case_is_a_test_of_its_own_without_the_runner(ending: str) -> None:
    tests = plan_of({"tests": CASES + ending}, {}).tests
    assert [test.splitlines()[-1] for test in tests] == ["Adds('test_two').debug()", "Adds('test_none').debug()"]
    assert all("unittest.main" not in test and "__main__" not in test for test in tests)


@pytest.mark.parametrize("base", ["TestCase", "unittest.IsolatedAsyncioTestCase"])
def test_a_class_is_a_test_case_by_the_name_of_its_base(base: str) -> None:
    source = f"class T({base}):\n    def test_it(self):\n        self.assertEqual(f(), 1)\n"
    assert len(plan_of(source, {}).tests) == 1


@pytest.mark.parametrize(
    ("reference", "tests"),
    [
        ({"input": "1", "output": "2"}, ["assert _same_output(_run_program('1'), '2')"]),
        ({"inputs": "1", "outputs": "2"}, ["assert _same_output(_run_program('1'), '2')"]),
        ({"inputs": [["1", 2]], "outputs": ["3"]}, ["assert _same_output(_run_program('1\\n2'), '3')"]),
        (json.dumps({"inputs": ["1"], "outputs": ["2"]}), ["assert _same_output(_run_program('1'), '2')"]),
        ({"fn_name": "f", "inputs": [{"x": 1}], "outputs": [2]}, ["assert _same_value(f(**{'x': 1}), 2)"]),
        ({"fn_name": "f", "inputs": ["1\n2"], "outputs": ["3"]}, ["assert _same_value(f(*[1, 2]), 3)"]),
        ({"tests": ["assert f() == 1"], "setup": ["import math", "x = 1"]}, ["assert f() == 1"]),
    ],
)
def test_inputs_and_outputs_are_read_in_each_form(reference: Any, tests: list[str]) -> None:
    assert list(plan_of(reference, {}).tests) == tests


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"public_tests": [{"input": "1"}]}, "must hold objects with `input` and `output`"),
        ({"input_output": "3"}, "expected an object with `inputs` and `outputs`"),
        ({"fn_name": "f", "inputs": ["{"], "outputs": [1]}, "lines of JSON"),
        ({"fn_name": "f", "inputs": [7], "outputs": [1]}, "array of its arguments, got int"),
        ({"inputs": ["x"] * (MOST_TESTS + 1), "outputs": ["x"] * (MOST_TESTS + 1)}, "too many tests"),
        ({"inputs": ["x" * 10_000_000], "outputs": ["x"]}, "too long"),
        ({"tests": "assert f() == 1", "setup": 7}, "`setup` must be Python source, got int"),
    ],
)
def test_tests_that_cannot_be_read_are_refused_with_what_was_expected(reference: Any, said: str) -> None:
    with pytest.raises(TestsError, match=said):
        plan_of(reference, {})
