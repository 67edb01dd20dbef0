"""What a recipe allows a training at the most: time, steps, gradings, money. Beyond it the job is stopped."""

from __future__ import annotations

from typing import NamedTuple

from tunedrop import clock
from tunedrop.outcomes import BudgetExceeded
from tunedrop.recipe import Budget, Recipe
from tunedrop.run.record import RunRecord


class TrainingCost(NamedTuple):
    """What a training cost by the recipe's prices, and what was counted."""

    dollars: float
    hours: float
    steps: int
    gradings: int


def gradings_of(recipe: Recipe, steps: int) -> int:
    """How many answers were graded in `steps` steps: each has a batch of prompts with a group of rollouts each."""
    model = recipe.catalog_model
    batch = recipe.hyperparameters.get("batch_size") or recipe.hyperparameters.get("batchSize") or 0
    group = recipe.hyperparameters.get("trainingSamplePerPrompt") or model.default_group_size
    return int(steps * float(batch) * float(group))


def dollars_of(budget: Budget, *, hours: float, steps: int, gradings: int) -> float:
    """What the training has cost so far by the prices that the recipe gives."""
    prices = budget.prices
    return hours * prices.hour + steps * prices.step + gradings * prices.grading


def training_cost(record: RunRecord) -> TrainingCost | None:
    """What the run's training has cost by the prices that the recipe gives; None without prices or a job."""
    if not record.resolved or record.submitted_at is None:
        return None
    recipe = record.recipe
    if not recipe.trains or not recipe.budget.prices.given:
        return None
    # A job that was never polled to an end is counted up to the last look at the run.
    end = clock.parse(record.reached.get("PollJob", record.updated_at))
    hours = max(0.0, (end - clock.parse(record.submitted_at)).total_seconds() / 3600)
    steps = int(record.training.steps or 0)
    gradings = gradings_of(recipe, steps)
    return TrainingCost(dollars_of(recipe.budget, hours=hours, steps=steps, gradings=gradings), hours, steps, gradings)


def hold_to_budget(recipe: Recipe, *, job_id: str, hours: float, steps: int | None) -> None:
    """Check what a job has used up. `steps` is None where the service tells none: only time is known then.

    Raises:
        BudgetExceeded: names the limit, the recipe's field, and what was used.
    """
    budget = recipe.budget
    gradings = gradings_of(recipe, steps or 0)
    dollars = dollars_of(budget, hours=hours, steps=steps or 0, gradings=gradings)
    limits: tuple[tuple[str, float, float | None, str], ...] = (
        ("hours", hours, budget.hours, f"trains for {hours:.1f} hours"),
        ("steps", steps or 0, budget.steps, f"is at step {steps}"),
        ("gradings", gradings, budget.gradings, f"had {gradings} answers graded"),
        ("dollars", dollars, budget.dollars, f"has cost ${dollars:.2f} by the recipe's prices"),
    )
    for field, used, most, told in limits:
        if most is not None and used > most:
            raise BudgetExceeded(
                f"job {job_id} {told}; the recipe allows {most:g} (`budget.{field}`), so it is cancelled. To train on, "
                f"start a run with a higher `budget.{field}`, fewer epochs or fewer rows"
            )
