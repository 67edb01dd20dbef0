"""Which backend trains a model."""

from __future__ import annotations

from tunedrop.catalog import Family, Model
from tunedrop.settings import Settings
from tunedrop.training.backend import TrainingBackend


class BackendMissing(Exception):
    """No backend of this stack trains the model's family."""


def backend_for(model: Model, settings: Settings) -> TrainingBackend:
    """The backend of `model`, with a client of its own.

    Raises:
        BackendMissing: the family has none.
    """
    if model.family is Family.OPEN_WEIGHT:
        from tunedrop import mantle
        from tunedrop.training.open_weight import OpenWeightBackend

        return OpenWeightBackend(mantle.client(settings))
    raise BackendMissing(f"no training backend for {model.id}")
