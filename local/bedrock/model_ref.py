"""What a model is made of: the simulated policy, or real weights with what a training added to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.bedrock.policy import Policy


@dataclass(frozen=True, slots=True)
class Adapter:
    """The language model's weights with a LoRA adapter: its folder, or None for the weights as they came."""

    folder: str | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"adapter": self.folder}


ModelRef = Policy | Adapter


def ref_to_json(ref: ModelRef) -> dict[str, Any]:
    """The fields by which a document keeps a model: `policy`, or `adapter`."""
    return {"policy": ref.to_json()} if isinstance(ref, Policy) else ref.to_json()


def ref_from_json(document: dict[str, Any]) -> ModelRef:
    """The model of a document that has the fields of `ref_to_json`."""
    if "policy" in document:
        return Policy.from_json(document["policy"])
    return Adapter(document["adapter"])


def policy_of(ref: ModelRef) -> Policy:
    """The policy of a simulated model. Raises TypeError for a real one: it was trained under `--model`."""
    if not isinstance(ref, Policy):
        raise TypeError("this model is a language model's adapter, and the simulation answers here")
    return ref
