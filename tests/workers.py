"""Which worker of xdist runs which tests: those of a file run in one, as do those of a folder that share a stack.

And where each worker begins to collect them.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

ON_ONE_STACK = ("tests/workflow/pipeline", "tests/workflow/api")
"""Folders whose tests share a stack, which takes long to start."""


def unit_of(nodeid: str) -> str:
    """The file of a test, or its folder of `ON_ONE_STACK`: the tests of such a unit share a worker and its fixtures."""
    file, _, _ = nodeid.partition("::")
    return next((folder for folder in ON_ONE_STACK if file.startswith(f"{folder}/")), file)


class ByUnit(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Gives the workers one unit after the other, the first ones first.

    xdist's own loadgroup writes a mark's group into the test's id, which pytest 9.2 does not let it do: the mark had no
    effect, and each worker started each stack (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


class FromItsOwnPlace:
    """Each worker begins to collect at another place: what one has compiled, the others find compiled.

    In a fresh checkout nothing is, and workers that keep in step compile each module once each. The tests have the same
    order in all of them in the end, as xdist wants it.
    """

    def __init__(self, worker: int, workers: int) -> None:
        self._worker = worker
        self._workers = workers
        self._places: dict[object, int] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        found = report.result or []
        if isinstance(collector, pytest.Session):
            self._places.clear()  # what lies above the paths that were given has no order
        self._places.update((node, place) for place, node in enumerate(found))
        if isinstance(collector, pytest.Directory | pytest.Session):
            first = len(found) * self._worker // self._workers
            report.result = [*found[first:], *found[:first]]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: [self._places[node] for node in item.listchain() if node in self._places])
        self._places.clear()
