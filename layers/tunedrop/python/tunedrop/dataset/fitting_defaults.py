"""Defaults of the training that depend on the dataset: a batch so small that an epoch has enough steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tunedrop.recipe import Recipe

STEPS_WANTED: Final = 64
"""Steps an epoch below which an epoch has little chance to learn; AWS's walkthrough has 67 (300 rows, batches of 4)."""
TRAINED_PART: Final = 0.9
"""The walkthrough's 67 steps are floor(0.9 x 300 / 4): the service seems to hold out a tenth. UNCONFIRMED."""


def fitting_batch(rows: int, least: int, most: int) -> int:
    """The largest batch that leaves the wanted steps in an epoch, from `least` by doubling to at most `most`."""
    batch = least
    while batch * 2 <= most and rows * TRAINED_PART / (batch * 2) >= STEPS_WANTED:
        batch *= 2
    return batch


def with_fitting_defaults(recipe: Recipe, rows: int) -> Recipe:
    """The recipe with what it leaves to the number of its training rows."""
    chosen = {
        name: fitting_batch(rows, int(each.least or 1), int(each.default or 1))
        for name, each in recipe.catalog_model.hyperparameters.items()
        if each.fits_rows and name not in recipe.hyperparameters
    }
    return recipe.model_copy(update={"hyperparameters": {**recipe.hyperparameters, **chosen}}) if chosen else recipe
