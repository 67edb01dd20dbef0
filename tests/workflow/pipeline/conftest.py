"""One local stack for the workflow tests of this folder: the real ASL and handlers, a fast simulated Bedrock."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tests.driven_deployments import DEV
from tests.workflow.pipeline.application import Application, running


@pytest.fixture(scope="package")
def shared_application() -> Iterator[Application]:
    with running(DEV.region, DEV.parameters) as application:
        yield application


@pytest.fixture
def application(shared_application: Application) -> Iterator[Application]:
    yield shared_application
    shared_application.quiet()


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
