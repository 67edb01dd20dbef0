"""The embedded AWS with a small stack of its own, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws import EmbeddedAws, deploy
from embedded_aws.tests.workflow.small_stack import LIBRARIES, RUNTIME, SmallStack

TEMPLATE = Path(__file__).parent / "stack/template.yaml"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with EmbeddedAws(
        runtime=RUNTIME,
        folder=tmp_path_factory.mktemp("aws"),
        stepped_schedules=True,
        first_event_retry_seconds=0.01,
        async_retry_seconds=(0.01, 0.01),
        retry_delay_factor=0.01,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws) -> SmallStack:
    deployment = deploy(
        aws,
        TEMPLATE,
        {"Greeting": 'he said "hi"'},
        stack_name="small",
        built={"LibrariesLayer": LIBRARIES},
    )
    return SmallStack(aws, deployment)
