"""What stands behind the APIs: something that answers, and that GRPO trains. The simulation, or a language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from local.bedrock.answers import Answers, Asked, OnPiece
from local.bedrock.catalog import BaseModel
from local.bedrock.grpo import Measures
from local.bedrock.model_ref import ModelRef
from local.bedrock.training import Grade, Plan, Progress

Keep = Callable[[Progress, Measures], None]
"""Gets the progress after each step, and what the step measured."""


class Engine(Protocol):
    """Answers and trains. Its models are `ModelRef`s, which nothing else looks into."""

    trained_by: Literal["simulation", "local"]
    weights: Mapping[str, str] | None
    """`name` and `licence` of real weights."""
    reasons: bool
    """Whether base models that think show how."""

    @property
    def training_text(self) -> str:
        """The event that says that a training has started."""

    def base(self, model: BaseModel) -> ModelRef:
        """What a base model is before any training."""

    async def answers(
        self,
        ref: ModelRef,
        messages: Sequence[Mapping[str, Any]],
        asked: Asked,
        on_piece: OnPiece | None = None,
    ) -> Answers:
        """The replies to one prompt. Raises ApiError for what the model cannot be asked."""

    def prompt_tokens(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """About how long a prompt is, before it is asked: what a quota and a limit of prompts count."""

    async def train(
        self,
        plan: Plan,
        start: Progress,
        *,
        base: BaseModel,
        grade: Grade,
        keep: Keep,
        step_seconds: Callable[[], float],
    ) -> Progress:
        """Train from `start` to the plan's last step. Raises GraderFailed as `grade` does, TrainingFailed."""

    async def close(self) -> None:
        """End what it started."""


class TrainingFailed(Exception):
    """A training cannot go on; the message says why."""
