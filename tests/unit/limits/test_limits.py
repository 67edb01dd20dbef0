"""The operator's limits: what a run may use up, whatever its recipe says, and what a team may in a month."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.limits.limits import NAMES, UNLIMITED, Amounts, Limits, LimitsInvalid, planned, training_steps
from tunedrop.limits.month import Month, Months, used_by
from tunedrop.outcomes import LimitExceeded, Status
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset, EvaluationResult, TrainingProgress
from tunedrop.run.store import RunStore

NOVA = "amazon.nova-2-lite-v1:0:256k"
LIMITS = """{
    "run": {"hours": 24, "steps": 500, "gradings": 50000, "answer_tokens": 10000000, "reference_models": 1,
            "dollars": 300},
    "month": {"hours": 100},
    "prices": {"hour": 10, "grading": 0.01},
    "teams": {"red": {"run": {"hours": 48}, "month": {"hours": 200}}}
}"""


def held(written: dict[str, Any], team: str = "blue", limits: str = LIMITS) -> Recipe:
    region = "us-east-1" if written.get("model") == NOVA else "us-west-2"
    return Limits.parse(limits).held(resolve(written, region), written, team)


def test_what_a_recipe_leaves_open_is_cut_to_the_limit() -> None:
    budget = held({}).budget
    assert (budget.hours, budget.steps, budget.gradings, budget.dollars) == (24, 500, 50000, 300)
    assert budget.prices.hour == 10, "the operator's prices stand in place of the recipe's"
    assert held({}, "red").budget.hours == 48
    assert held({"budget": {"hours": 3, "steps": 7}}).budget.hours == 3
    assert Recipe.model_validate(held({}).model_dump(mode="json")) == held({})


def test_a_model_that_tells_no_steps_is_not_held_to_any() -> None:
    assert held({"model": NOVA}).budget.steps is None
    assert held({"model": NOVA}).budget.hours == 24


@pytest.mark.parametrize(
    ("written", "figures"),
    [
        ({"budget": {"hours": 30}}, ("`budget.hours` is 30", "may have 24")),
        ({"budget": {"steps": 501}}, ("`budget.steps` is 501", "may have 500")),
        ({"budget": {"gradings": 60000}}, ("`budget.gradings` is 60000", "may have 50000")),
        ({"budget": {"dollars": 301, "prices": {"hour": 0.01}}}, ("`budget.dollars` is 301", "may have 300")),
        ({"evaluation": {"reference_models": ["a", "b"]}}, ("has 2", "may have 1")),
    ],
)
def test_a_recipe_that_asks_for_more_is_refused_with_the_figures(
    written: dict[str, Any], figures: tuple[str, ...]
) -> None:
    with pytest.raises(LimitExceeded) as refused:
        held(written)
    assert all(figure in str(refused.value) for figure in figures)
    assert refused.value.status is Status.REJECTED


@pytest.mark.parametrize(
    ("written", "rows", "test_rows", "told"),
    [
        ({"hyperparameters": {"n_epochs": 3, "batch_size": 4}}, 1000, 10, "750 training steps"),
        ({"hyperparameters": {"n_epochs": 1, "batch_size": 32}}, 10_000, 10, "80,128 graded answers"),
        ({"evaluation": {"max_tokens": 1000, "samples": 2}}, 100, 3000, "12,000,000 tokens of answers"),
        ({"hyperparameters": {"n_epochs": 1, "batch_size": 32}}, 10_000, 10, "801 dollars"),
    ],
)
def test_a_run_that_would_use_up_more_is_refused_with_the_figures(
    written: dict[str, Any], rows: int, test_rows: int, told: str
) -> None:
    limits = Limits.parse(LIMITS)
    with pytest.raises(LimitExceeded, match=told.replace(".", "[.]")):
        limits.require(planned(held(written), rows=rows, test_rows=test_rows), "blue")


def test_a_run_that_only_evaluates_uses_up_answers_alone() -> None:
    recipe = held({"evaluate_only": "ft-1", "evaluation": {"max_tokens": 10, "rows": 5}})
    assert planned(recipe, rows=1000, test_rows=50) == Amounts(answer_tokens=100)


def test_every_checkpoint_that_is_compared_counts() -> None:
    recipe = held({"evaluation": {"checkpoints": "all", "max_tokens": 1}, "hyperparameters": {"batch_size": 4}})
    assert training_steps(recipe, 400) == 100
    assert planned(recipe, rows=400, test_rows=10).answer_tokens == 10 * (2 + 4)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "no",
        '{"runs": {}}',
        '{"run": {"hour": 3}}',
        '{"run": {"hours": -1}}',
        '{"run": {"hours": true}}',
        '{"run": {"hours": "3"}}',
        '{"run": {"steps": 0}}',
        '{"month": {"dollars": 3}}',
        '{"teams": {"red": {"prices": {}}}}',
        '{"teams": []}',
        '{"prices": {"minute": 3}}',
    ],
)
def test_what_is_no_mapping_of_limits_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(LimitsInvalid, match="Limits"):
        Limits.parse(text)


def test_no_limits_change_nothing() -> None:
    for text in ("", "{}"):
        limits = Limits.parse(text)
        recipe = resolve({"budget": {"hours": 71}}, "us-west-2")
        assert not limits.given
        assert limits.held(recipe, {}, "any") == recipe
        limits.require(Amounts(*(1e9 for _ in NAMES)), "any")


# --------------------------------------------------------------------------------------------------------- the month


@pytest.fixture
def store(runs_table: str) -> RunStore:
    return RunStore(boto3.client("dynamodb"), runs_table)


@pytest.fixture
def months(store: RunStore, api_table: str) -> Months:
    return Months(boto3.client("dynamodb"), api_table, store)


@pytest.fixture
def begin(store: RunStore) -> Callable[..., RunRecord]:
    def begin(name: str, **more: Any) -> RunRecord:
        record = RunRecord(
            run_id=name,
            name=name,
            execution_arn=f"arn:aws:states:us-west-2:123456789012:execution:p:{name}",
            status=Status.RUNNING,
            started_at="2026-01-01T00:00:00.000Z",
            updated_at="2026-01-01T00:00:00.000Z",
            recipe_document=resolve({}, "us-west-2").model_dump(mode="json"),
        )
        return store.register(replace(record, **more))

    return begin


TEN_HOURS = replace(UNLIMITED, hours=10)


def test_a_month_takes_what_its_team_has_left_and_refuses_the_rest_with_the_figures(
    months: Months, begin: Callable[..., RunRecord]
) -> None:
    for name in ("a", "b", "c"):
        begin(name)
    months.reserve("a", "red", Amounts(hours=6), TEN_HOURS)
    months.reserve("a", "red", Amounts(hours=6), TEN_HOURS)
    with pytest.raises(LimitExceeded, match="has 6.0 hours of training used or reserved .* may use 5.0, and .* 10.0"):
        months.reserve("b", "red", Amounts(hours=5), TEN_HOURS)
    months.reserve("b", "blue", Amounts(hours=5), TEN_HOURS)
    months.reserve("c", "red", Amounts(answer_tokens=5), TEN_HOURS)


def test_what_an_ended_run_did_not_use_is_the_next_ones(
    months: Months, store: RunStore, begin: Callable[..., RunRecord]
) -> None:
    for name in ("a", "b", "c"):
        begin(name)
    months.reserve("a", "red", Amounts(hours=8), TEN_HOURS)
    store.update("a", {"submitted_at": "2026-01-01T00:00:00.000Z"})
    store.update_if("a", {"reached": {"PollJob": "2026-01-01T03:00:00.000Z"}}, "attribute_exists(run_id)")
    store.close("a", {"status": Status.SUCCEEDED, "notice": {"Message": "over"}})
    months.reserve("b", "red", Amounts(hours=7), TEN_HOURS)
    with pytest.raises(LimitExceeded, match="has 10.0 hours"):
        months.reserve("c", "red", Amounts(hours=0.5), TEN_HOURS)


def test_twenty_four_reservations_at_once_never_pass_the_month(months: Months, begin: Callable[..., RunRecord]) -> None:
    names = [f"run-{number}" for number in range(24)]
    for name in names:
        begin(name)

    def reserved(name: str) -> bool:
        try:
            months.reserve(name, "red", Amounts(hours=2), TEN_HOURS)
        except LimitExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(reserved, names)) == 5


def test_what_a_run_used_is_counted_from_its_record(begin: Callable[..., RunRecord]) -> None:
    record = begin(
        "a",
        submitted_at="2026-01-01T00:00:00.000Z",
        reached={"PollJob": "2026-01-01T02:00:00.000Z"},
        training=TrainingProgress(steps=10),
        dataset=CheckedDataset(test_rows=50),
        evaluation=EvaluationResult({"verdict": "improved"}),
    )
    assert used_by(record) == Amounts(hours=2, steps=10, gradings=10 * 4 * 8, answer_tokens=50 * 2 * 1024)
    assert used_by(begin("b")) == Amounts()
    assert used_by(begin("c", recipe_document=None)) == Amounts()


amounts = st.builds(Amounts, *(st.integers(0, 10**6) for _ in NAMES))


@given(amounts, st.dictionaries(st.text(min_size=1, max_size=9), amounts, max_size=5))
def test_any_month_comes_back_from_its_text_and_settling_loses_nothing(
    used: Amounts, reserved: dict[str, Amounts]
) -> None:
    month = Month(used, reserved)
    assert Month.of_text(month.to_text()) == month
    settled = month.settled(reserved)
    assert settled.reserved == {}
    assert settled.spent == month.spent
    assert settled.settled(reserved) == settled
