"""Tests that are inputs and outputs: whole programs, and functions by name, in the forms of public datasets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tunedrop.graders.code.grader import CodeGrader
from tunedrop.graders.code_sandbox.output import same_output, same_value
from tunedrop.graders.sample import JSON, Grade, Sample


@pytest.fixture(scope="module")
def grader() -> Iterator[CodeGrader]:
    grader = CodeGrader()
    yield grader
    grader._sandbox.close()


def grade(grader: CodeGrader, program: str, reference: JSON) -> Grade:
    return grader.grade(Sample("1", [], f"```python\n{program}\n```", reference, {}))


PAIRS: JSON = {"inputs": ["1 2\n", "3 4\n"], "outputs": ["3\n", "7\n"]}
PROGRAMS = {
    "input": "a, b = map(int, input().split())\nprint(a + b)",
    "standard input's buffer": (
        "import sys\nd = sys.stdin.buffer.read().split()\nprint(int(d[0]) + int(d[1]), end=' \\n\\n')"
    ),
    "os.read and os.write": "import os\nos.write(1, str(sum(map(int, os.read(0, 99).split()))).encode())",
    "a file of number 0": "print(sum(map(int, open(0).read().split())))\nexit()",
    "a thread with a large stack": (
        "import sys, threading\ndef main():\n    print(sum(map(int, input().split())))\n"
        "threading.stack_size(2**27)\nt = threading.Thread(target=main)\nt.start()\nt.join()"
    ),
    "a main function": (
        "import sys\ndef main():\n    for line in sys.stdin:\n        print(sum(map(int, line.split())))\n"
        "if __name__ == '__main__':\n    main()\n    sys.exit(0)"
    ),
}


@pytest.mark.parametrize("way", PROGRAMS)
def test_a_program_is_run_on_each_input_that_reads_by(grader: CodeGrader, way: str) -> None:
    got = grade(grader, PROGRAMS[way], PAIRS)
    assert got.correct, got.explanation


@pytest.mark.parametrize("program", ["print(3)", "pass", "def solve():\n    print(3)", "print(3)\nraise ValueError"])
def test_a_program_that_prints_something_else_is_wrong(grader: CodeGrader, program: str) -> None:
    assert grade(grader, program, PAIRS).reward == 0.0


ADD = "class Solution:\n    def add(self, a, b):\n        return a + b"
TOTAL = "print(sum(map(int, input().split())))"
FORMS: dict[str, tuple[JSON, str]] = {
    "APPS, a program": ({"input_output": json.dumps(PAIRS)}, TOTAL),
    "APPS, a function": (
        {"input_output": json.dumps({"inputs": [[1, 2], [3, 4]], "outputs": [[3], [7]], "fn_name": "add"})},
        ADD,
    ),
    "CodeContests": (
        {"public_tests": {"input": ["1 2"], "output": ["3"]}, "private_tests": {"input": ["2 2"], "output": ["4"]}},
        TOTAL,
    ),
    "LiveCodeBench": ({"inputs": ["[1]\n[3]"], "outputs": ["[1, 3]"], "fn_name": "add"}, ADD),
    "an array of pairs": ([{"input": "1 2", "output": "3"}], TOTAL),
}


@pytest.mark.parametrize("form", FORMS)
def test_inputs_and_outputs_are_read_as_they_stand_in(grader: CodeGrader, form: str) -> None:
    reference, program = FORMS[form]
    reference = {"tests": reference} if isinstance(reference, list) else reference
    assert grader.check_reference(reference, {}) is None
    got = grade(grader, program, reference)
    assert got.correct, got.explanation
    assert grade(grader, program.replace("sum", "max").replace("a + b", "a"), reference).reward == 0.0


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"inputs": ["1"], "outputs": []}, "same length"),
        ({"input_output": "{"}, "not JSON"),
        ({"inputs": [5], "outputs": [{}]}, "must be text"),
        ({"inputs": [[1]], "outputs": [1], "fn_name": "a b"}, "name of a function"),
        ({"inputs": ["1"], "outputs": [""]}, "cannot fail"),
    ],
)
def test_inputs_and_outputs_that_test_nothing_are_named(grader: CodeGrader, reference: JSON, said: str) -> None:
    assert said in (grader.check_reference(reference, {}) or "")


def test_lines_are_compared_without_blanks_at_their_ends() -> None:
    assert same_output("1 \n2\n\n", "1\r\n2")
    assert same_output("0.33333333", "0.3333333333333333")
    assert not same_output("0.333", "0.3333333333333333")
    assert not same_output("1 2", "1\n2")
    assert not same_output("12", "12.5")


def test_values_are_compared_as_the_json_that_they_were_written_in() -> None:
    assert same_value((1, [2]), [1, [2]])
    assert same_value({1: "a"}, {"1": "a"})
    assert not same_value(1, True)
    assert not same_value([1], [1, 2])
