"""`make lint` names long names of tests, and imports from other tests."""

from __future__ import annotations

import pytest

from checks.habits import breaches


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"def test_{'a' * 76}() -> None: ...", "has 81 characters"),
        (f"async def test_{'a' * 76}() -> None: ...", "has 81 characters"),
        ("from tests.unit.conftest import aws", "tests.unit.conftest holds tests or fixtures"),
        ("from tests.unit.test_one import helper", "tests.unit.test_one holds tests or fixtures"),
        ("import tests.bench.bench_one", "tests.bench.bench_one holds tests or fixtures"),
        ("def test_one() -> None:\n    from tests.unit.test_two import helper", "tests.unit.test_two holds"),
    ],
)
def test_a_breach_is_named(source: str, said: str) -> None:
    (breach,) = breaches(source)
    assert said in breach[1]


@pytest.mark.parametrize(
    "source",
    [
        f"def test_{'a' * 75}() -> None: ...",
        f"def helper_{'a' * 90}() -> None: ...",
        "from tests.unit.simulated_service import Clock",
        "from . import conftest_of_someone",
    ],
)
def test_what_keeps_the_habits_is_passed(source: str) -> None:
    assert list(breaches(source)) == []
