from __future__ import annotations

from typing import Any

import pytest

from tunedrop.outcomes import BudgetExceeded, RecipeInvalid
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.training.budget import gradings_of, hold_to_budget

NOVA = "amazon.nova-2-lite-v1:0:256k"


def recipe(**budget: Any) -> Recipe:
    return resolve({"budget": budget}, "us-west-2")


def test_a_step_grades_a_batch_of_groups() -> None:
    assert gradings_of(recipe(), 10) == 10 * 4 * 8
    nova = {"model": NOVA, "hyperparameters": {"batchSize": 16, "trainingSamplePerPrompt": 2}}
    assert gradings_of(resolve(nova, "us-east-1"), 3) == 3 * 16 * 2


@pytest.mark.parametrize(
    ("budget", "field", "used"),
    [
        ({"hours": 2}, "budget.hours", "2.5 hours"),
        ({"steps": 9}, "budget.steps", "step 10"),
        ({"gradings": 319}, "budget.gradings", "320 answers"),
        ({"dollars": 1.5, "prices": {"hour": 0.5, "step": 0.02, "grading": 0.001}}, "budget.dollars", r"\$1.77"),
    ],
)
def test_what_is_used_up_is_named_with_its_limit(budget: dict[str, Any], field: str, used: str) -> None:
    with pytest.raises(BudgetExceeded, match=rf"ftjob-1.*{used}.*`{field}`"):
        hold_to_budget(recipe(**budget), job_id="ftjob-1", hours=2.5, steps=10)


def test_a_job_within_its_budget_goes_on() -> None:
    hold_to_budget(recipe(hours=3, steps=10, gradings=320), job_id="ftjob-1", hours=2.5, steps=10)
    hold_to_budget(recipe(steps=10), job_id="ftjob-1", hours=2.5, steps=None)


def test_money_needs_prices_and_steps_need_a_service_that_tells_them() -> None:
    with pytest.raises(RecipeInvalid, match=r"budget\.prices"):
        recipe(dollars=10)
    with pytest.raises(RecipeInvalid, match=r"`budget\.steps`.*does not report steps"):
        resolve({"model": NOVA, "budget": {"steps": 10}}, "us-east-1")


def test_what_nova_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(RecipeInvalid, match=r"evaluation\.temperature.*takes at most 1"):
        resolve({"model": NOVA, "evaluation": {"temperature": 1.5}}, "us-east-1")
    with pytest.raises(RecipeInvalid, match="no checkpoints"):
        resolve({"model": NOVA, "evaluation": {"checkpoints": "all"}}, "us-east-1")
    with pytest.raises(RecipeInvalid, match="only in us-east-1, but this stack is in us-west-2"):
        resolve({"model": NOVA}, "us-west-2")
    with pytest.raises(RecipeInvalid, match="expected 16 to 512, got 4"):
        resolve({"model": NOVA, "hyperparameters": {"batchSize": 4}}, "us-east-1")
