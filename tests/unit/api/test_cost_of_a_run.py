"""What the API says a run's training has cost."""

from __future__ import annotations

from typing import Any

import pytest

from tunedrop.api.views import dollars
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord

RECIPE = {"grader": {"kind": "math"}, "model": "openai.gpt-oss-20b"}


def record(recipe: dict[str, Any] | None) -> RunRecord:
    """A run whose training took half an hour."""
    return RunRecord(
        run_id="sums-1",
        name="sums",
        execution_arn="arn",
        status=Status.SUCCEEDED,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T02:00:00.000Z",
        submitted_at="2026-01-01T00:10:00.000Z",
        reached={"PollJob": "2026-01-01T00:40:00.000Z"},
        recipe_document=recipe,
    )


@pytest.mark.parametrize(
    ("recipe", "cost"),
    [
        (None, None),
        (RECIPE, None),
        ({**RECIPE, "budget": {"prices": {"hour": 0.0, "step": 0.0}}}, None),
        ({**RECIPE, "budget": {"prices": {"hour": 10.0}}}, 5.0),
        ({"no_longer": "valid", "budget": {"prices": {"hour": 10.0}}}, None),
    ],
)
def test_only_prices_of_a_recipe_that_can_be_read_make_a_cost(
    recipe: dict[str, Any] | None, cost: float | None
) -> None:
    told = dollars(record(recipe))
    assert told == (cost if cost is None else pytest.approx(cost))
