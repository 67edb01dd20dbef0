"""Which rows a training takes, and in how many steps."""

from __future__ import annotations

import asyncio

import pytest

from local.bedrock.catalog import BASE_MODELS
from local.bedrock.grpo import Measures
from local.bedrock.simulated_training import train
from local.bedrock.training import Plan, Progress
from tests.unit.local_bedrock.graders_on_text import as_grade, strict

POLICY = BASE_MODELS[0].policy


def plan(rows: int, **changes: object) -> Plan:
    given = [
        {"messages": [{"role": "user", "content": f"Problem {n}"}], "reference_answer": f"#### {n}"}
        for n in range(rows)
    ]
    settings: dict[str, object] = {"batch_size": 4, "epochs": 1, "group_size": 8, "max_tokens": 512, **changes}
    return Plan(name="job", rows=given, **settings)  # type: ignore[arg-type]  # one dict of settings of several types


@pytest.mark.parametrize(
    ("rows", "changes", "steps"),
    [
        (300, {}, 67),  # the walkthrough's run: 0.9 · 300 = 270, 270 / 4 = 67.5
        (300, {"holds_out": False}, 75),
        (300, {"epochs": 3}, 201),
        (100, {"batch_size": 128}, 1),
        (20_000, {"batch_size": 512}, 35),
    ],
)
def test_steps_are_the_full_batches_of_what_is_not_held_out(rows: int, changes: dict[str, object], steps: int) -> None:
    assert plan(rows, **changes).total_steps == steps


def test_every_trained_row_comes_once_an_epoch_and_held_out_rows_never() -> None:
    two = plan(100, batch_size=9, epochs=2)
    for epoch in range(2):
        steps = range(epoch * 10 + 1, epoch * 10 + 11)
        seen = [row["reference_answer"] for step in steps for row in two.batch(step)]
        assert len(seen) == len(set(seen)) == 90
    assert [row["reference_answer"] for row in two.batch(1)] != [row["reference_answer"] for row in two.batch(11)]


def test_the_seed_decides_what_is_held_out() -> None:
    assert plan(300, seed=1).trained == plan(300, seed=1).trained
    assert plan(300, seed=1).trained != plan(300, seed=2).trained


def test_a_training_that_goes_on_where_it_was_left_ends_where_it_would_have_ended() -> None:
    whole: list[tuple[Progress, Measures]] = []

    def run(start: Progress) -> Progress:
        kept = train(
            plan(100),
            start,
            reference=POLICY,
            grade=as_grade(strict),
            keep=lambda progress, measures: whole.append((progress, measures)),
            step_seconds=lambda: 0.0,
        )
        return asyncio.run(kept)

    end = run(Progress(0, POLICY))
    at_ten = Progress.from_json(whole[9][0].to_json())
    assert at_ten.step == 10
    assert run(at_ten) == end
    assert len(whole) == 22 + 12
