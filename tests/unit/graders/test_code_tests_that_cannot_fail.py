"""Tests that no answer can fail pay nobody, and the dataset check refuses their rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.code.grader import CodeGrader
from tunedrop.graders.sample import JSON, Grade, Sample


@pytest.fixture(scope="module")
def grader() -> Iterator[CodeGrader]:
    grader = CodeGrader()
    yield grader
    grader._sandbox.close()


def grade(grader: CodeGrader, program: str, reference: JSON) -> Grade:
    return grader.grade(Sample("1", [], f"```python\n{program}\n```", reference, {}))


CANNOT_FAIL = {
    "a class that is never run": "class TestF:\n    def test_one(self):\n        assert f(3) == 9",
    "a guard": "if __name__ == '__main__':\n    assert f(3) == 9",
    "a function that is never called": "def run():\n    assert f(3) == 9",
    "a tuple": "assert (f(3) == 9, 'bad')",
    "no assert": "print(f(3) == 9)",
    "a constant": "assert True\nf(3)",
    "a swallowed error": "try:\n    assert f(3) == 9\nexcept AssertionError:\n    print('bad')",
    "a suppressed error": "import contextlib\nwith contextlib.suppress(AssertionError):\n    assert f(3) == 9",
    "a loop over nothing": "for x in []:\n    assert f(x) == x",
    "a sentinel that is not None": "assert f(3) is not None",
    "a mock that is true": "assert f(3).is_right(9)",
    "a function that is there": "assert callable(f)",
    "a generator that nobody runs": "def check():\n    assert f(3) == 9\n    yield\ncheck()",
}


@pytest.mark.parametrize("kind", a_third_in_each_run(CANNOT_FAIL))
def test_a_test_pays_nobody_and_is_a_finding_that_asserts_by(grader: CodeGrader, kind: str) -> None:
    reference: JSON = {"tests": [CANNOT_FAIL[kind]]}
    assert grade(grader, "def f(x):\n    return x * x", reference).reward == 0.0
    assert "cannot fail" in (grader.check_reference(reference, {}) or "")


def test_tests_that_can_fail_still_count_beside_one_that_cannot(grader: CodeGrader) -> None:
    reference: JSON = {"tests": ["assert (f(3) == 9, 'bad')", "assert f(2) == 4"]}
    assert grader.check_reference(reference, {}) is None
    got = grade(grader, "def f(x):\n    return x * x", reference)
    assert (got.reward, got.explanation) == (1.0, "1 of 1 tests passed.")


def test_answers_that_are_true_or_false_are_told_apart(grader: CodeGrader) -> None:
    reference: JSON = {"tests": ["assert f(7)", "assert not f(8)"]}
    assert grader.check_reference(reference, {}) is None
    assert grade(grader, "def f(x):\n    return x == 7", reference).correct


LOOPS = (
    "for got, want in zip(map(f, [1, 2]), [1, 4]):\n    assert got == want",
    "assert list(map(f, [1, 2])) == []",
    "assert sum(map(f, [1, 2])) == 0",
)


@pytest.mark.parametrize(
    "kind", ["StopIteration", "StopAsyncIteration", "GeneratorExit", "SystemExit", "BaseException"]
)
def test_no_loop_of_the_tests_ends_in_silence_by_a(grader: CodeGrader, kind: str) -> None:
    for loop in LOOPS:
        assert not grade(grader, f"def f(x):\n    raise {kind}", {"tests": [loop]}).correct


def test_an_object_with_another_length_than_items_contradicts_itself(grader: CodeGrader) -> None:
    program = "class Y:\n    def __len__(s): return 3\n    def __iter__(s): return iter([])\ndef f(): return Y()"
    got = grade(grader, program, {"tests": ["assert len(f()) == 3\nfor x in f():\n    assert x > 0"]})
    assert (got.reward, "it has 3 items, and gives 0" in got.explanation) == (0.0, True)


PREAMBLE = "def right(x):\n    return x == 9\nclass N:\n    def __init__(self, v):\n        self.v = v\n"


def test_a_name_of_the_preamble_that_an_answer_defines_again_stays_the_task_s(grader: CodeGrader) -> None:
    reference: JSON = {"preamble": PREAMBLE, "tests": ["assert right(f(N(3)).v)"]}
    assert grade(grader, "def f(n):\n    return N(n.v ** 2)", reference).correct
    assert not grade(grader, "def right(x):\n    return True\ndef f(n):\n    return n", reference).correct


CHEATS = {
    "one object for all members": (
        "class M(type):\n    def __getattr__(c, n): return X\nclass C(metaclass=M): pass\n"
        "X = object()\ndef f(x): return X",
        "assert f(1) == C.RED and f(2) == C.BLUE",
    ),
    "one instance for all arguments": (
        "class P:\n    def __new__(c, *a): return X\nX = object()\ndef f(a, b): return X",
        "assert f(P(1, 2), P(3, 4)) == P(4, 6)",
    ),
    "instances that forget their arguments": (
        "class P:\n    def __init__(s, *a): s.z = 1\n    def __eq__(s, o): return True\ndef f(a, b): return P()",
        "assert f(P(1, 2), P(3, 4)) == P(4, 6)",
    ),
    "operators of a returned object": (
        "class Y:\n    def __sub__(s, o): return 0\n    def __contains__(s, o): return True\ndef f(): return Y()",
        "assert f() - 9 == 0 or 9 in f()",
    ),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_no_comparison_of_objects_is_passed_by(grader: CodeGrader, cheat: str) -> None:
    program, test = CHEATS[cheat]
    assert not grade(grader, program, {"tests": [test]}).correct
