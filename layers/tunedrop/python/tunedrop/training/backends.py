"""Which backend trains a model."""

from __future__ import annotations

from tunedrop.catalog import Family, Model, models
from tunedrop.settings import Settings
from tunedrop.training.backend import TrainingBackend


def backend_for(model: Model, settings: Settings) -> TrainingBackend:
    """The backend of `model`, with a client of its own."""
    if model.family is Family.NOVA:
        from tunedrop.training.nova import NovaBackend

        return NovaBackend.from_settings(settings)
    from tunedrop import mantle
    from tunedrop.training.open_weight import OpenWeightBackend

    return OpenWeightBackend(mantle.client(settings), settings.weights)


def backends_of_region(settings: Settings) -> list[TrainingBackend]:
    """One backend for each family of models that trains in the stack's Region."""
    one_of_each = {model.family: model for model in models() if model.region == settings.region}
    return [backend_for(model, settings) for model in one_of_each.values()]
