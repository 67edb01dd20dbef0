"""A model that an OpenAI-compatible endpoint serves: Bedrock's own, Ollama, vLLM, llama.cpp or another one."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tunedrop import catalog
from tunedrop.sampling.question import Sampler

KEY_VARIABLE = "OPENAI_API_KEY"
TIMEOUT_SECONDS = 600.0
"""How long one answer may take: a language model on a processor writes some ten tokens a second."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model by its id, and where it is asked: `endpoint` is a URL, or `bedrock` in a Region."""

    id: str
    endpoint: str
    region: str | None = None

    @classmethod
    def at_bedrock(cls, model: catalog.Model) -> ServedModel:
        """A model of the catalog, asked at Bedrock in the Region where it trains."""
        return cls(model.asked_as, f"Bedrock in {model.region}", model.region)

    @property
    def told(self) -> str:
        """Which model answered, in words."""
        return f"{self.id} at {self.endpoint}"

    def silent(self, trouble: Exception) -> str:
        """That it gave no answer, and what may be the reason."""
        if self.region is not None:
            return f"{self.told} gave no answer: {trouble}"
        return (
            f"{self.told} gave no answer: {trouble}. Does the endpoint serve a model of this id, and is its URL whole? "
            "Most end in /v1"
        )

    def sampler(self, *, nova: bool = False) -> Sampler:
        """A sampler with a client of its own. `nova`: a model that Bedrock's Converse asks."""
        if nova and self.region is not None:
            import boto3

            from tunedrop.sampling.nova import NovaSampler

            return NovaSampler(boto3.client("bedrock-runtime", region_name=self.region))
        import openai

        from tunedrop.sampling.open_weight import OpenWeightSampler

        if self.region is not None:
            from tunedrop.bedrock_key import bedrock_key

            url, key = catalog.mantle_base_url(self.region, ""), bedrock_key(self.region, "")
        else:
            # A server on this machine asks for no key, and the SDK sends one in any case.
            url, key = self.endpoint, os.environ.get(KEY_VARIABLE) or "none"
        return OpenWeightSampler(openai.AsyncOpenAI(base_url=url, api_key=key, timeout=TIMEOUT_SECONDS, max_retries=0))
