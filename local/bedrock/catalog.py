"""The base models that the local Bedrock pretends to have: ids as the service's, each a starting policy of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from local.bedrock.policy import Policy


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model: its id, who made it, how it is tuned (`mantle`, `native`) or only asked (None), how it starts."""

    model_id: str
    owner: str
    tuned_by: Literal["mantle", "native"] | None
    policy: Policy
    reasons: bool = False  # whether its answers come with reasoning
    other_ids: tuple[str, ...] = ()


NOVA = "amazon.nova-2-lite-v1:0"
NOVA_PROFILE = "us.amazon.nova-2-lite-v1:0"
NOVA_TUNED = "amazon.nova-2-lite-v1:0:256k"

# Shares in the order of policy.BEHAVIOURS. With the first, a strict grader's first rewards are about 0.48 and a
# tolerant one's about 0.57, as in the run of AWS's walkthrough.
BASE_MODELS = (
    BaseModel(
        "openai.gpt-oss-20b",
        "openai",
        "mantle",
        Policy.starting((0.46, 0.13, 0.09, 0.14, 0.13, 0.05), 2.2),
        reasons=True,
        other_ids=("openai.gpt-oss-20b-1:0",),
    ),
    BaseModel(
        "qwen.qwen3-32b",
        "qwen",
        "mantle",
        Policy.starting((0.43, 0.16, 0.09, 0.13, 0.15, 0.04), 2.3),
        other_ids=("qwen.qwen3-32b-v1:0",),
    ),
    BaseModel(
        "openai.gpt-oss-120b", "openai", None, Policy.starting((0.66, 0.12, 0.05, 0.07, 0.08, 0.02), 3.6), reasons=True
    ),
    BaseModel(
        NOVA_TUNED,
        "amazon",
        "native",
        Policy.starting((0.47, 0.14, 0.08, 0.13, 0.14, 0.04), 2.1),
        other_ids=(NOVA, NOVA_PROFILE),
    ),
)

_BY_ID = {model_id: model for model in BASE_MODELS for model_id in (model.model_id, *model.other_ids)}


def base_model(model_id: str) -> BaseModel | None:
    """The base model of this id, by any of its ids, or None."""
    return _BY_ID.get(model_id)
