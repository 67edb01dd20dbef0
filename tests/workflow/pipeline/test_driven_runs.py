"""Every option of a recipe, driven: each run of the list from its drop to its notice, in a stack for development."""

from __future__ import annotations

import pytest

from tests.driven_deployments import DEV
from tests.driven_runs import RUNS, DrivenRun
from tests.workflow.driving import Driver
from tests.workflow.pipeline.application import Application

HERE = tuple(run for run in RUNS if run.deployment is DEV)


@pytest.fixture(scope="module")
def driver(shared_application: Application) -> Driver:
    return Driver(shared_application, HERE)


@pytest.mark.timeout(2000)
@pytest.mark.parametrize(
    "run", [pytest.param(run, id=run.name, marks=[pytest.mark.prove] if run.prove else []) for run in HERE]
)
def test_a_run_with_these_options_ends_as_it_must(driver: Driver, run: DrivenRun) -> None:
    driver.drive(run)
