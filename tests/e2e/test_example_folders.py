"""The example folder of each kind of grader, to its end, in each way in which a service may show reasoning.

Of these pairs, each of which takes a whole run, `make prove` takes every folder in two ways and every way in one or two
folders; `make prove ALL=1` takes them all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
NOVA = "amazon.nova-2-lite-v1:0:256k"


def ways(*switches: str) -> list[tuple[str, str]]:
    return [(switch, way) for switch in switches for way in ALLOWED[switch] if way != "none"]


REASONING = ways("grader_reasoning", "chat_reasoning")
REASONING_OF_NOVA = ways("converse_reasoning", "grader_reasoning")


def pairs(folders: Sequence[str], all_ways: Sequence[tuple[str, str]]) -> list[Any]:
    """Each folder in each way, marked by whether it is tried always or where all are wanted."""
    return [
        pytest.param(
            folder, *way, marks=[pytest.mark.exhaustive] if (place - number) % EVERY else [],
            id="-".join((folder, *way)),
        )
        for number, folder in enumerate(folders)
        for place, way in enumerate(all_ways)
    ]  # fmt: skip


EVERY = 5
"""One pair in so many is tried by `make prove`."""
STANDARD_ERRORS = 4
"""By chance, a mean lies farther off than this once in 16,000 times."""


@dataclass
class Example:
    """A stack, and the dataset whose runs it takes."""

    stack: LocalStack
    dataset: DatasetFolder

    @cached_property
    def without(self) -> Mapping[str, Any]:
        """The evaluation of the run in which no reasoning is shown."""
        return self.evaluation("plain")

    def evaluation(self, way: str) -> Mapping[str, Any]:
        """Take the folder through; its verdict and mean rewards. Fails unless the run succeeds."""
        dataset = replace(self.dataset, name=f"{self.dataset.name}-{way}".replace("_", "-"))
        notice = take_through(self.stack, dataset, PlainView(Console(file=sys.stderr))).notice.message
        assert notice["status"] == "SUCCEEDED", notice["reason"]
        evaluation: Mapping[str, Any] = notice["evaluation"]
        return evaluation

    def hold(self, switch: str, way: str) -> None:
        """Fails unless the run in which reasoning is shown this way ends as the one in which none is."""
        without = self.without
        assert without["verdict"] == "improved"
        self.stack.bedrock.set_switch(switch, way)
        try:
            shown = self.evaluation(f"{switch}-{way}")
        finally:
            self.stack.bedrock.set_switch(switch, "none")
        assert shown["verdict"] == without["verdict"]
        for candidate in ("base", "tuned"):
            before, after = (each[candidate]["mean_reward"] for each in (without, shown))
            # A reward of 0 to 1 with the mean m has at most the variance m(1 - m).
            variance = sum(mean * (1 - mean) / without["rows"] for mean in (before, after))
            assert abs(after - before) <= STANDARD_ERRORS * sqrt(variance) + 1e-9, candidate


ON_NOVA = " on Nova"


@pytest.fixture(scope="module")
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """One fixture for both tests, so that its stack is closed before the next is opened: a process has room for one."""
    name = str(request.param).removesuffix(ON_NOVA)
    folder = REPOSITORY / "events/datasets" / name
    # What is asked here is what a model says, not how fast a busy machine grades it.
    settings: dict[str, Any] = {"gates": {"most_step_seconds": 600}}
    switches: dict[str, Any] = {}
    if name != request.param:
        settings.update(model=NOVA, hyperparameters={"batchSize": 16})
        # The simulated judge errs on other answers than with the models of the west: a rehearsal may stop at one.
        switches = {"converse_reasoning": "none", "judge_error_share": 0}
    dataset = DatasetFolder.open(folder, str(request.param).replace(ON_NOVA, "-on-nova")).with_recipe(
        tmp_path_factory.mktemp("recipe"),
        lambda recipe: {**recipe, **settings, "gates": {**recipe.get("gates", {}), **settings["gates"]}},
    )
    with LocalStack(region=dataset.region, switches=switches) as stack:
        yield Example(stack, dataset)


@pytest.mark.parametrize(("example", "switch", "way"), pairs(FOLDERS, REASONING), indirect=["example"], scope="module")
def test_each_example_folder_ends_as_without_reasoning_wherever_it_is_shown(
    example: Example, switch: str, way: str
) -> None:
    example.hold(switch, way)


@pytest.mark.parametrize(
    ("example", "switch", "way"), pairs([name + ON_NOVA for name in FOLDERS], REASONING_OF_NOVA),
    indirect=["example"], scope="module",
)  # fmt: skip
def test_each_example_folder_ends_as_without_reasoning_on_nova_too(example: Example, switch: str, way: str) -> None:
    example.hold(switch, way)
