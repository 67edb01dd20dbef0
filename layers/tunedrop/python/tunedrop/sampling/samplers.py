"""Which sampler asks a model of a family."""

from __future__ import annotations

from tunedrop.catalog import Family
from tunedrop.sampling.question import Sampler
from tunedrop.settings import Settings


class SamplerMissing(Exception):
    """No sampler of this stack asks the models of the family."""


def sampler_for(family: Family, settings: Settings) -> Sampler:
    """The sampler of a family's models, with a client of its own.

    Raises:
        SamplerMissing: there is none.
    """
    if family is Family.OPEN_WEIGHT:
        from tunedrop.sampling.open_weight import OpenWeightSampler

        return OpenWeightSampler.from_settings(settings)
    raise SamplerMissing(f"no sampler for {family}")
