"""Which worker of xdist runs which tests: those of a file run in one, as do those of a folder that share a stack."""

from __future__ import annotations

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
