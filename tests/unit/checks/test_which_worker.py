"""Tests that share a stack run in one worker, so that it is started once; each worker collects from its own place."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
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


OF_A_STACK = {("local.stack", "LocalStack"), ("tests.workflow.pipeline.application", "running")}


@pytest.mark.parametrize("folder", ON_ONE_STACK)
def test_no_file_of_a_folder_with_one_stack_starts_another(folder: str) -> None:
    """A process has room for one, and the folder's own is there until the worker leaves the folder."""
    files = sorted((Path(__file__).parents[3] / folder).glob("test_*.py"))
    assert files
    for file in files:
        imported = {
            (node.module, name.name)
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom)
            for name in node.names
        }
        assert not imported & OF_A_STACK, f"{file.name} belongs into tests/workflow/deployments"


COLLECT_AS_EACH_WORKER = """
import pytest, sys
from tests.workers import FromItsOwnPlace

class Told:
    def pytest_itemcollected(self, item): print(item.nodeid, end=" ")
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items): print("|", *(item.nodeid for item in items))

for worker in range(3):
    pytest.main(["--collect-only", "-qqq", "--no-summary", *sys.argv[1:]], plugins=[FromItsOwnPlace(worker, 3), Told()])
"""


def test_each_worker_collects_from_its_own_place_and_all_agree(tmp_path: Path) -> None:
    for folder in ("b/late", "b", "a"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f"test_{folder.replace('/', '_')}.py").write_text("def test_z(): ...\ndef test_y(): ...\n")
    child = subprocess.run(
        [sys.executable, "-c", COLLECT_AS_EACH_WORKER, "--rootdir=.", "b", "a"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    b, late, a = (
        [f"{file}::{name}" for name in ("test_z", "test_y")]
        for file in ("b/test_b.py", "b/late/test_b_late.py", "a/test_a.py")
    )
    collected, agreed = zip(*(line.split(" | ") for line in child.stdout.splitlines() if "|" in line), strict=True)
    assert [order.split() for order in collected] == [late + b + a, late + b + a, a + b + late]
    assert [order.split() for order in agreed] == [late + b + a] * 3
