"""The example folder of each kind of grader, to its end, in each way in which a service may show reasoning."""

from __future__ import annotations

import sys

import pytest
from rich.console import Console

from local.command.dataset_folder import DatasetFolder
from local.command.following import take_through
from local.command.views import PlainView
from local.stack import LocalStack
from tests.e2e.command_runs import REPOSITORY

REASONING = [
    *(
        ("grader_reasoning", way)
        for way in ("field", "parts", "inline", "think", "closing", "harmony", "plain_harmony")
    ),
    *(("chat_reasoning", way) for way in ("field", "inline", "think")),
]


@pytest.mark.prove
@pytest.mark.parametrize(("switch", "way"), REASONING)
@pytest.mark.parametrize("name", ["gsm8k", "extraction", "code", "moderation", "judge"])
def test_each_example_folder_gets_its_verdict_wherever_reasoning_is_shown(name: str, switch: str, way: str) -> None:
    dataset = DatasetFolder.open(REPOSITORY / "events/datasets" / name, f"{name}-{way}".replace("_", "-"))
    with LocalStack(region=dataset.region, switches={switch: way}) as stack:
        notice = take_through(stack, dataset, PlainView(Console(file=sys.stderr))).notice.message
    assert (notice["status"], notice["evaluation"]["verdict"]) == ("SUCCEEDED", "improved")
