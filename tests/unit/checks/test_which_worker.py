"""Tests that share a stack run in one worker, so that it is started once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.workers import ON_ONE_STACK, ByUnit

TESTS = [
    "tests/workflow/api/test_runs.py::test_a",
    "tests/workflow/api/test_uploads.py::test_b[x@y::z]",
    "tests/unit/checks/test_which_worker.py::test_c",
    "tests/workflow/api/test_runs.py::test_d",
    "tests/unit/checks/test_which_worker.py::test_e",
    "tests/workflow/deployments/test_limits.py::test_f",
]


class Worker:
    """What xdist's schedulers know of a worker; `given` are the tests that it was told to run."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.workerinput = {"workerid": name}
        self.shutting_down = False
        self.given: list[str] = []

    def send_runtest_some(self, places: list[int]) -> None:
        self.given += [TESTS[place] for place in places]

    def shutdown(self) -> None:
        self.shutting_down = True


def test_no_unit_of_tests_is_divided_between_workers(pytestconfig: pytest.Config) -> None:
    options: Any = SimpleNamespace(
        getvalue=lambda name: ["popen", "popen"] if name == "tx" else pytestconfig.getoption(name, None),
        option=SimpleNamespace(loadscopereorder=False),
        hook=SimpleNamespace(pytest_collectreport=lambda **_: None),
    )
    assert ON_ONE_STACK[1] == "tests/workflow/api"
    scheduler = ByUnit(options)
    workers = [Worker("gw0"), Worker("gw1")]
    for worker in workers:
        scheduler.add_node(worker)
    for worker in workers:
        scheduler.add_node_collection(worker, TESTS)
    scheduler.schedule()
    first, second = workers
    assert first.given == [TESTS[0], TESTS[1], TESTS[3]]
    assert second.given[:2] == [TESTS[2], TESTS[4]]
    assert sorted([*first.given, *second.given]) == sorted(TESTS)
