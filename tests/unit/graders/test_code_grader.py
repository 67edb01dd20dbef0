"""The code grader on honest programs: what passes, what does not, and how rows may give their tests."""

from __future__ import annotations

import ast
import gzip
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.in_prove import a_third_in_each_run
from tunedrop.graders.batch import grade_batch
from tunedrop.graders.code.answer import program_of
from tunedrop.graders.code.grader import CodeGrader
from tunedrop.graders.code.reference import plan_of
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import JSON, Grade, OptionsError, Sample

MBPP = Path(__file__).parents[2] / "data" / "mbpp" / "rows.jsonl.gz"


@pytest.fixture(scope="module")
def grader() -> Iterator[CodeGrader]:
    grader = CodeGrader()
    yield grader
    grader._sandbox.close()


def grade(grader: CodeGrader, program: str, reference: JSON, row: dict[str, JSON] | None = None) -> Grade:
    return grader.grade(Sample("1", [], program, reference, row or {}))


def mbpp_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(MBPP.read_bytes()).splitlines()]


def mutant(source: str) -> str:
    """The program with every result wrong."""
    with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            node.value = ast.Constant("a wrong result")
        elif isinstance(node, ast.Lambda):
            node.body = ast.Constant("a wrong result")
    return ast.unparse(tree)


def assert_told_apart(grader: CodeGrader, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        reference = row["reference_answer"]
        right = grade(grader, f"Here it is:\n```python\n{reference['code']}\n```\nDone.", reference)
        assert right.correct, (row["id"], right.explanation)
        assert right.reward == 1.0
        assert not grade(grader, mutant(reference["code"]), reference).correct, row["id"]


def test_solutions_of_mbpp_pass_and_broken_ones_fail(grader: CodeGrader) -> None:
    assert_told_apart(grader, mbpp_rows()[::40])


@pytest.mark.prove
def test_all_974_solutions_of_mbpp_pass_and_broken_ones_fail() -> None:
    rows = mbpp_rows()
    assert len(rows) == 974
    patient = CodeGrader.from_options({"seconds": 60})  # a busy machine is slow, and that is no failure
    assert_told_apart(patient, rows)
    patient._sandbox.close()


FORMS: dict[str, JSON] = {
    "source": "assert double(2) == 4\nassert double(0) == 0",
    "array": ["assert double(2) == 4", "assert double(0) == 0"],
    "object": {"tests": ["assert double(2) == 4", "x = 0\nassert double(x) == 0"]},
    "MBPP": {"test_list": ["assert double(2) == y", "assert double(0) == 0"], "test_setup_code": "y = 4"},
    "HumanEval": {
        "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(0) == 0\n",
        "entry_point": "double",
    },
    "pytest": "def test_two():\n    assert double(2) == 4\ndef test_none():\n    assert double(0) == 0",
    "pytest's tools": (
        "import pytest\nfrom solution import double\n\n"
        "@pytest.mark.parametrize('given, wanted', [(2, 4), (0, 0)])\n"
        "def test_each(given, wanted):\n    assert double(given) == pytest.approx(wanted)\n\n"
        "def test_nothing():\n    with pytest.raises(TypeError, match='NoneType'):\n        double(None)\n"
    ),
    "pytest's fixtures": (
        "import pytest\n@pytest.fixture\ndef one():\n    return 1\n"
        "@pytest.fixture(scope='module')\ndef three(one):\n    yield one + 2\n"
        "@pytest.mark.parametrize('more', [1, 2])\n"
        "def test_sum(three, more):\n    assert double(three + more) == 2 * (three + more)\n"
    ),
    "a test function that is called with the code": "def test(candidate):\n    assert candidate(3) == 6\ntest(double)",
    "a test function and an entry point": {
        "tests": "def test(candidate):\n    assert candidate(3) == 6",
        "entry_point": "double",
    },
    "pytest's fixtures for every test": (
        "import pytest\ndone = []\n@pytest.fixture(autouse=True)\ndef prepare():\n    done.append(3)\n"
        "def test_prepared():\n    assert double(done[0]) == 6"
    ),
    "decorators that give a parameter": (
        "from functools import lru_cache\nfrom unittest import mock\n"
        "@mock.patch('builtins.print')\ndef test_patched(printed):\n    print(1)\n    assert double(3) == 6\n"
        "    assert printed.called\n@lru_cache\ndef test_kept():\n    assert double(1) == 2"
    ),
    "an exit": "import sys\nif double(3) != 6:\n    sys.exit('wrong')\nsys.exit(0)",
    "AceCode": {"test_cases": ["assert double(2) == 4", "assert double(0) == 0"]},
    "a field test_code": {"test_code": "assert double(3) == 6"},
}


@pytest.mark.parametrize("form", a_third_in_each_run(FORMS))
def test_tests_are_read_in_the_form_of(grader: CodeGrader, form: str) -> None:
    assert grade(grader, "def double(x): return 2 * x", FORMS[form]).correct
    assert not grade(grader, "def double(x): return x + 2", FORMS[form]).correct


def test_tests_that_need_more_of_pytest_are_refused(grader: CodeGrader) -> None:
    tests = "import pytest\ndef test_two():\n    with pytest.warns(UserWarning):\n        assert double(2) == 4"
    assert "the tests use pytest.warns; the sandbox has pytest.raises" in (grader.check_reference(tests, {}) or "")
    tests = "def test_two(capsys):\n    double(2)\n    assert capsys.readouterr().out == '4'"
    assert "test_two takes 'capsys', which is no fixture" in (grader.check_reference(tests, {}) or "")


def test_tests_may_stand_in_the_row_itself(grader: CodeGrader) -> None:
    row: dict[str, JSON] = {"test_list": ["assert double(2) == 4"]}
    assert grade(grader, "def double(x): return 2 * x", None, row).correct


HONEST: dict[str, tuple[str, JSON]] = {
    "a class": (
        "class Stack:\n"
        "    def __init__(self): self.items = []\n"
        "    def push(self, x): self.items.append(x)\n"
        "    def __len__(self): return len(self.items)\n"
        "    def __iter__(self): return iter(self.items)\n"
        "    def __getitem__(self, i): return self.items[i]\n",
        "s = Stack()\ns.push(3)\ns.push(4)\n"
        "assert len(s) == 2\nassert list(s) == [3, 4]\nassert s[1] == 4 and s.items == [3, 4]",
    ),
    "changing an argument in place": ("def f(x): x.reverse()", "a = [1, 2]\nf(a)\nassert a == [2, 1]"),
    "a generator": ("def f(n):\n    yield from range(n)", "assert list(f(3)) == [0, 1, 2]"),
    "a function as argument": ("def f(g, x): return [g(y) for y in x]", "assert f(lambda v: v + 1, [1, 2]) == [2, 3]"),
    "a function as result": ("def f(n): return lambda x: x + n", "assert f(2)(3) == 5"),
    "an exception that is asked for": (
        "def f(x): raise ValueError('no')",
        "try:\n    f(1)\nexcept ValueError as e:\n    assert 'no' in str(e)\nelse:\n    assert False",
    ),
    "a type as argument": ("def f(x, t): return isinstance(x, t)", "assert f(1, int) and not f(1, str)"),
    "sets and tuples": ("def f(): return {(1, 2)}, frozenset({3})", "assert f() == ({(1, 2)}, frozenset({3}))"),
    "numbers of every kind": (
        "from fractions import Fraction\nfrom decimal import Decimal\n"
        "def f(): return [2**100, -1, 0.1, float('inf'), 1j, Fraction(1, 3), Decimal('0.10'), True, None]",
        "from fractions import Fraction\nfrom decimal import Decimal\n"
        "assert f() == [2**100, -1, 0.1, float('inf'), 1j, Fraction(1, 3), Decimal('0.10'), True, None]",
    ),
    "dates": (
        "from datetime import *\ndef f(d): return d + timedelta(days=1)",
        "from datetime import date\nassert f(date(2024, 2, 28)) == date(2024, 2, 29)",
    ),
    "collections": (
        "from collections import *\ndef f(): return Counter('aab'), deque([1]), OrderedDict(a=1)",
        "assert f() == ({'a': 2, 'b': 1}, __import__('collections').deque([1]), {'a': 1})",
    ),
    "not a number": ("def f(): return float('nan')", "assert f() != f() and isinstance(f(), float)"),
    "an empty and a deep structure": ("def f(x): return x", "assert f([[[]], {}, ()]) == [[[]], {}, ()]"),
    "text of any kind": (
        "def f(x): return x[::-1]",
        "assert f('a\\U0001f600é\\x00\\ud83d') == '\\ud83d\\x00é\\U0001f600a'",
    ),
    "state between the tests": (
        "n = 0\ndef f():\n    global n\n    n += 1\n    return n",
        "assert f() == 1\nassert f() == 2",
    ),
    "recursion": ("def f(n): return 1 if n < 2 else n * f(n - 1)", "assert f(500) % 1000 == 0"),
    "the modules that solutions import": (
        "import math, re, heapq, bisect, itertools, functools, random, json, typing, dataclasses, enum, datetime\n"
        "from typing import List\n@dataclasses.dataclass\nclass P:\n    x: int = 1\n"
        "E = enum.Enum('E', 'A B')\ndef f(): return datetime.datetime.strptime('2024', '%Y').year + P().x + E.A.value",
        "assert f() == 2026",
    ),
    "printing": ("def f():\n    print('x' * 100000)\n    return 1", "assert f() == 1"),
    "a message of an exception": (
        "class E(ValueError):\n    def __init__(self, c):\n        super().__init__(f'bad {c}')\n"
        "        self.code = c\n"
        "def f(x): raise E(x)",
        "try:\n    f(5)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'bad 5' and e.code == 5\n"
        "try:\n    f(5)\n    assert False\nexcept E as e:\n    assert type(e).__name__ == 'E'",
    ),
    "counters, default dictionaries, named tuples": (
        "from collections import *\nP = namedtuple('P', 'x y')\n"
        "def f(x): return Counter(x), defaultdict(list, a=[1]), P(1, 2)",
        "c, d, p = f('aab')\nassert c.most_common(1) == [('a', 2)] and d['z'] == [] and p.y == 2 and p == (1, 2)",
    ),
    "an enumeration": (
        "import enum\nclass C(enum.Enum):\n    RED = 1\n    BLUE = 2\ndef f(): return C.RED",
        "assert f() == C.RED and f() != C.BLUE and f() is C['RED'] and f().value == 1",
    ),
    "a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int\n"
        "def f(a, b): return P(a.x + b.x, a.y + b.y)",
        "assert f(P(1, 2), P(3, 4)) == P(4, 6) and f(P(1, 2), P(3, 4)) != P(4, 7)",
    ),
    "paths and moments with a zone": (
        "from pathlib import Path\nfrom datetime import *\n"
        "def f(): return Path('/a') / 'b.txt', datetime(2024, 1, 2, tzinfo=timezone.utc), time(3, 4)",
        "import datetime as d\nfrom pathlib import Path\n"
        "assert f() == (Path('/a/b.txt'), d.datetime(2024, 1, 2, tzinfo=d.timezone.utc), d.time(3, 4))",
    ),
    "coroutines": (
        "import asyncio\nasync def g(i): return i\n"
        "async def f(n):\n    await asyncio.sleep(0)\n    return sum(await asyncio.gather(*map(g, range(n))))",
        "import asyncio\nassert asyncio.run(f(4)) == 6",
    ),
    "tests that are coroutines": (
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x * x",
        "import asyncio\nasync def main():\n    assert await asyncio.wait_for(f(3), 1) == 9\nasyncio.run(main())",
    ),
    "a check that is a coroutine": (
        "async def f(x): return x * x",
        {"tests": "async def check(candidate):\n    assert await candidate(3) == 9", "entry_point": "f"},
    ),
    "test functions that are coroutines": (
        "async def f(x): return x * x",
        "import pytest\nasync def test_one():\n    assert await f(3) == 9\n"
        "@pytest.mark.asyncio(loop_scope='function')\n@pytest.mark.parametrize('x', [1, 2])\n"
        "async def test_two(x):\n    assert await f(x) == x * x",
    ),
    "a test case of coroutines": (
        "async def f(x): return x * x",
        "import unittest\nclass T(unittest.IsolatedAsyncioTestCase):\n"
        "    async def asyncSetUp(self): self.x = 3\n"
        "    async def test_f(self): self.assertEqual(await f(self.x), 9)",
    ),
    "names of types that it does not import": (
        "class Solution:\n    def f(self, xs: List[int], y: Optional[int] = None) -> Dict[str, int]:\n"
        "        return {'a': xs[0]}",
        "assert Solution().f([1]) == {'a': 1}",
    ),
    "a pool of threads": (
        "from concurrent.futures import ThreadPoolExecutor, as_completed\nimport asyncio\n"
        "def f(xs):\n    with ThreadPoolExecutor(max_workers=2) as pool:\n"
        "        first = list(pool.map(abs, xs))\n"
        "        return first, sum(each.result() for each in as_completed([pool.submit(abs, x) for x in xs]))\n"
        "def g(x): return asyncio.run(asyncio.to_thread(abs, x))",
        "assert f([-1, 2]) == ([1, 2], 3) and g(-4) == 4",
    ),
    "logging, unittest and tests of its own": (
        "import logging, unittest\nlogging.basicConfig()\ndef f(x):\n    logging.error('x')\n    return x\n"
        "class T(unittest.TestCase):\n    def test_f(self): self.assertEqual(f(1), 1)\nunittest.main()",
        "assert f(2) == 2",
    ),
    "an example that reads input": (
        "def f(x): return x\nn = int(input())\nprint(f(n))",
        "assert f(2) == 2",
    ),
    "an iterator as argument": ("def f(it): return sum(it)", "assert f(x for x in [1, 2]) == 3"),
    "a method of class Solution": ("class Solution:\n    def f(self, x):\n        return x", "assert f(2) == 2"),
    "a function named as a built-in": ("def sum(a, b): return a + b", "assert sum(10, 15) == 25"),
}


@pytest.mark.parametrize("kind", a_third_in_each_run(HONEST))
def test_an_honest_program_passes_with(grader: CodeGrader, kind: str) -> None:
    program, tests = HONEST[kind]
    got = grade(grader, program, tests)
    assert got.correct, got.explanation


@pytest.mark.parametrize("kind", [kind for kind in HONEST if "coroutine" in kind or "threads" in kind])
def test_no_program_that_returns_something_else_passes_with(grader: CodeGrader, kind: str) -> None:
    for program in (
        "async def f(*_): return 0",
        "def f(*_): return 0",
        "async def f(*_): raise GeneratorExit",
        "async def f(*_): raise SystemExit",
    ):
        got = grade(grader, program, HONEST[kind][1])
        assert got.reward == 0.0, got.explanation


def test_a_class_that_the_task_gives_lives_beside_the_code(grader: CodeGrader) -> None:
    reference: JSON = {
        "preamble": "class Node:\n    def __init__(self, value, next=None): self.value, self.next = value, next",
        "tests": "assert length(Node(1, Node(2))) == 2",
    }
    program = "def length(node):\n    return 0 if node is None else 1 + length(node.next)"
    assert grade(grader, program, reference).correct


def test_the_share_of_passed_tests_is_told_and_paid_for_only_on_demand() -> None:
    tests: JSON = ["assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 9", "assert f(4) == 4"]
    strict, partial = CodeGrader(), CodeGrader(credit="share")
    try:
        got = grade(strict, "def f(x): return x", tests)
        assert (got.reward, got.correct, got.metrics["tests_passed"]) == (0.0, False, 0.75)
        assert "3 of 4 tests passed; test 3: AssertionError" in got.explanation
        assert grade(partial, "def f(x): return x", tests).reward == 0.75
    finally:
        strict._sandbox.close()
        partial._sandbox.close()


def test_the_same_answer_gets_the_same_grade_whatever_its_randomness(grader: CodeGrader) -> None:
    program = "import random\ndef f(): return [random.random(), list({'a', 'b', 'c', 'd'})]"
    first = grade(grader, program, ["assert f() == 0"])
    seen = f"def g(): return None\n{program}"
    rewards = {grade(grader, seen, ["assert f()[0] < 0.85 and f()[1][0] != 'a'"]).reward for _ in range(4)}
    assert first.reward == 0.0
    assert len(rewards) == 1


ANSWERS = {
    "plain code": ("def f(): return 1", "def f(): return 1"),
    "the last block that defines it": (
        "```python\ndef f(): return 0\n```\nNo:\n```py\ndef f(): return 1\n```",
        "def f(): return 1\n",
    ),
    "not the block that only uses it": (
        "```python\ndef f(): return 1\n```\nUse:\n```python\nprint(f())\n```",
        "def f(): return 1\n",
    ),
    "no other language": ("```bash\nf = 2\n```\n```python\nf = 1\n```", "f = 1\n"),
    "an open fence": ("```python\ndef f(): return 1", "def f(): return 1"),
    "Windows line ends": ("```python\r\ndef f():\r\n    return 1\r\n```", "def f():\n    return 1\n"),
    "tildes": ("~~~\nf = 1\n~~~", "f = 1\n"),
    "a list": ("1. So:\n\n   ```python\n   def f():\n       return 1\n   ```\n", "def f():\n    return 1\n"),
    "a quotation": ("> ```python\n> def f(): return 1\n> ```", "def f(): return 1\n"),
    "blocks with the imports and helpers that it needs": (
        "```python\nimport math\n```\n```py\ndef g(): return 1\n```\n```py\nf = g\n```\n```py\nprint(f())\n```",
        "import math\n\n\ndef g(): return 1\n\n\nf = g\n",
    ),
    "prose": ("Here it is:\n\ndef f():\n    return 1\n\nIt's simple.", "def f():\n    return 1\n"),
    "a docstring with a fence": (
        '```python\ndef f():\n    """\n    ```\n    f()\n    ```\n    """\n```',
        'def f():\n    """\n    ```\n    f()\n    ```\n    """\n',
    ),
    "a console": ("```pycon\n>>> def f():\n...     return 1\n>>> f()\n1\n```", "def f():\n    return 1\nf()"),
    "code that is set in": ("So:\n\n    def f():\n        return 1\n\nDone.", "def f():\n    return 1\n"),
    "set-in text that is no code": ("So:\n\n    def f(:\n\nDone.", "So:\n\n    def f(:\n\nDone."),
    "text alone": ("I cannot do this.", "I cannot do this."),
    "code beside another language": (
        "```python\ndef f(): return 1\n```\nIn Rust:\n```python\nfn f() -> i32 { 1 }\n```",
        "def f(): return 1\n",
    ),
    "a last block that is cut off": (
        "```python\ndef f(): return 1\n```\nBetter:\n```python\ndef f(x",
        "def f(x",
    ),
    "blocks that need each other": ("```python\nA = 1\n```\nand\n```python\nB = A\n```", "A = 1\n\n\nB = A\n"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_the_program_is_found_in(case: str) -> None:
    answer, program = ANSWERS[case]
    assert program_of(answer, ["f"]) == program


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        (None, "no tests"),
        ([], "non-empty"),
        ({"tests": 5}, "must be Python source"),
        ("assert f(", "not Python"),
        ("import socket\nassert f() == 1", "import 'socket'"),
        ("assert 1 == 1", "nothing that the code could define"),
        ({"test": "def check(c): assert c() == 1"}, "entry_point"),
        ({"tests": "assert f() == 1", "entry_point": 4}, "entry_point"),
        (["assert f() == 1"] * 1001, "too many"),
    ],
)
def test_a_row_whose_tests_cannot_be_run_is_named(grader: CodeGrader, reference: JSON, said: str) -> None:
    if reference == []:
        reference = {"tests": [], "test": [""]}
    assert said in (grader.check_reference(reference, {}) or "")


def test_a_row_that_can_be_graded_is_accepted(grader: CodeGrader) -> None:
    assert grader.check_reference(FORMS["MBPP"], {}) is None


def test_modules_are_told_from_functions_without_looking_at_the_answer() -> None:
    plan = plan_of("assert math.isclose(f(1), heapq.nlargest(1, g())[0])", {})
    assert (plan.names, plan.modules) == (("f", "g"), ("math", "heapq"))
    assert plan_of({"tests": "assert copy(1) == 1"}, {}).names == ("copy",)
    assert plan_of({"tests": "assert set(f(1)) == {1}", "entry_point": "set"}, {}).names == ("f", "set")


@pytest.mark.parametrize(
    "options", [{"seconds": 0}, {"seconds": True}, {"memory_mb": 10**6}, {"credit": "some"}, {"x": 1}]
)
def test_an_option_that_is_unknown_or_out_of_bounds_is_named(options: dict[str, JSON]) -> None:
    with pytest.raises(OptionsError, match=next(iter(options))):
        RowGrader.of("code", options)


def test_a_batch_is_graded_in_order_with_a_stuck_program_among_it() -> None:
    rows = [
        {"id": str(n), "messages": [{"role": "assistant", "content": code}], "reference_answer": ["assert f() == 1"]}
        for n, code in enumerate(["def f(): return 1", "def f():\n    while True: pass", "def f(): return 2"] * 2)
    ]
    told = grade_batch(rows, RowGrader.of("code", {"seconds": 0.5}), sample_deadline_seconds=5)
    assert [each["aggregate_reward_score"] for each in told] == [1.0, 0.0, 0.0] * 2
    assert not any(metric["name"] == "grader_error" for each in told for metric in each["metrics_list"])
