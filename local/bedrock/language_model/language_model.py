"""The engine that has real weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from local.bedrock.answers import Answers, Asked, OnPiece
from local.bedrock.catalog import BaseModel
from local.bedrock.engine import Keep
from local.bedrock.language_model.serving import Serving
from local.bedrock.language_model.training import train
from local.bedrock.language_model.worker import Environment
from local.bedrock.model_ref import Adapter, ModelRef
from local.bedrock.prompts import text_of
from local.bedrock.training import Grade, Plan, Progress

_TOKEN_CHARACTERS = 4  # about, in English text


class LanguageModel:
    """Whatever base model is asked, these weights answer: the service's names in front, one model behind."""

    trained_by: Literal["simulation", "local"] = "local"
    reasons = False

    def __init__(self, environment: Environment, folder: Path) -> None:
        """`folder` is for the trainings' files and the logs; `start` comes next."""
        folder.mkdir(parents=True, exist_ok=True)
        self._environment = environment
        self._folder = folder
        self._serving = Serving(environment, folder / "serving.log")
        self.weights: Mapping[str, str] | None = None

    async def start(self) -> None:
        """Load the weights. Raises NotServed."""
        await self._serving.start()
        self.weights = {name: str(self._serving.about[name]) for name in ("name", "licence")}

    @property
    def training_text(self) -> str:
        """The event that says that a training has started."""
        name = self.weights["name"] if self.weights else self._environment.weights
        return f"Fine-tuning job started (on this machine, the weights of {name})"

    def base(self, model: BaseModel) -> ModelRef:  # noqa: ARG002 - the same weights for each
        """The weights as they came."""
        return Adapter(None)

    async def answers(
        self, ref: ModelRef, messages: Sequence[Mapping[str, Any]], asked: Asked, on_piece: OnPiece | None = None
    ) -> Answers:
        """What the model writes. Raises ApiError: 400 for a prompt that it does not take, 503 while it is not there."""
        if not isinstance(ref, Adapter):
            raise TypeError("this model is the simulation's, and a language model answers here")
        return await self._serving.answers(ref, messages, asked, on_piece)

    def prompt_tokens(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """About how long a prompt is, by its letters: the tokenizer is in the other process."""
        return sum(-(-len(text_of(message.get("content"))) // _TOKEN_CHARACTERS) for message in messages)

    async def train(
        self,
        plan: Plan,
        start: Progress,
        *,
        base: BaseModel,  # noqa: ARG002 - the same weights for each
        grade: Grade,
        keep: Keep,
        step_seconds: Callable[[], float],
    ) -> Progress:
        """GRPO with LoRA. Raises TrainingFailed, and GraderFailed as `grade` does."""
        folder = self._folder / "jobs" / plan.name
        return await train(self._environment, folder, plan, start, grade=grade, keep=keep, step_seconds=step_seconds)

    async def close(self) -> None:
        """End the serving process; those of trainings end with their jobs' tasks."""
        await self._serving.close()
