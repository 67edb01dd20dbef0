"""Which sampler asks a model of a family."""

from __future__ import annotations

from tunedrop.catalog import Family
from tunedrop.sampling.question import Sampler
from tunedrop.settings import Settings


def sampler_for(family: Family, settings: Settings) -> Sampler:
    """The sampler of a family's models, with a client of its own."""
    if family is Family.NOVA:
        from tunedrop.sampling.nova import NovaSampler

        return NovaSampler.from_settings(settings)
    from tunedrop.sampling.open_weight import OpenWeightSampler

    return OpenWeightSampler.from_settings(settings)
