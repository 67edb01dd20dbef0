"""The example folder of each kind of grader, to its end, in each way in which a service may show reasoning."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import pytest
from rich.console import Console

from local.bedrock.switches import table
from local.command.dataset_folder import DatasetFolder
from local.command.following import take_through
from local.command.views import PlainView
from local.stack import LocalStack
from tests.e2e.command_runs import REPOSITORY

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

FOLDERS = ["gsm8k", "extraction", "code", "moderation", "judge", "tools"]
ALLOWED = {switch["name"]: switch["allowed"].split(" | ") for switch in table()}
REASONING = [
    (switch, way)
    for switch in ("grader_reasoning", "chat_reasoning")
    for way in ALLOWED[switch]
    if way != "none"
]  # fmt: skip
STANDARD_ERRORS = 4
"""By chance, a mean lies farther off than this once in 16,000 times."""


@dataclass
class Example:
    """A stack, and the folder whose runs it takes."""

    stack: LocalStack
    name: str

    @cached_property
    def without(self) -> Mapping[str, Any]:
        """The evaluation of the run in which no reasoning is shown."""
        return self.evaluation("plain")

    def evaluation(self, way: str) -> Mapping[str, Any]:
        """Take the folder through; its verdict and mean rewards. Fails unless the run succeeds."""
        folder = REPOSITORY / "events/datasets" / self.name
        dataset = DatasetFolder.open(folder, f"{self.name}-{way}".replace("_", "-"))
        notice = take_through(self.stack, dataset, PlainView(Console(file=sys.stderr))).notice.message
        assert notice["status"] == "SUCCEEDED", notice["reason"]
        evaluation: Mapping[str, Any] = notice["evaluation"]
        return evaluation


@pytest.fixture(scope="module", params=FOLDERS)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    folder = DatasetFolder.open(REPOSITORY / "events/datasets" / request.param)
    with LocalStack(region=folder.region) as stack:
        yield Example(stack, request.param)


@pytest.mark.parametrize(("switch", "way"), REASONING)
def test_each_example_folder_ends_as_without_reasoning_wherever_it_is_shown(
    example: Example, switch: str, way: str
) -> None:
    without = example.without
    assert without["verdict"] == "improved"
    example.stack.bedrock.set_switch(switch, way)
    try:
        shown = example.evaluation(f"{switch}-{way}")
    finally:
        example.stack.bedrock.set_switch(switch, "none")
    assert shown["verdict"] == without["verdict"]
    for candidate in ("base", "tuned"):
        before, after = (each[candidate]["mean_reward"] for each in (without, shown))
        # A reward of 0 to 1 with the mean m has at most the variance m(1 - m).
        variance = sum(mean * (1 - mean) / without["rows"] for mean in (before, after))
        assert abs(after - before) <= STANDARD_ERRORS * sqrt(variance) + 1e-9, candidate
