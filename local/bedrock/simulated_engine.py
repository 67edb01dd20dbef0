"""The simulation behind the APIs: a small policy that knows the reference answers of the rows it was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from local.bedrock.answers import Answers, Asked, OnPiece
from local.bedrock.catalog import BaseModel
from local.bedrock.engine import Keep
from local.bedrock.model_ref import ModelRef, policy_of
from local.bedrock.rows import RowBook
from local.bedrock.simulated_judge import judgement
from local.bedrock.simulated_model import SimulatedModel, cut, prompt_tokens
from local.bedrock.simulated_training import train
from local.bedrock.switches import Switches
from local.bedrock.training import Grade, Plan, Progress


class Simulation:
    """The engine that needs no weights."""

    trained_by: Literal["simulation", "local"] = "simulation"
    weights: Mapping[str, str] | None = None
    reasons = True

    def __init__(self, rows: RowBook, switches: Switches) -> None:
        self._model = SimulatedModel(rows)
        self._switches = switches

    @property
    def training_text(self) -> str:
        """The event that says that a training has started."""
        return "Fine-tuning job started (a simulated policy is trained, not a model)"

    def base(self, model: BaseModel) -> ModelRef:
        """The policy that the model starts with."""
        return model.policy

    async def answers(
        self, ref: ModelRef, messages: Sequence[Mapping[str, Any]], asked: Asked, on_piece: OnPiece | None = None
    ) -> Answers:
        """The replies of the policy; to a prompt that asks for a judgement, those of the simulated judge.

        `top_p` changes nothing: the simulated model has six behaviours, not a vocabulary.
        """
        switches = self._switches
        verdict = judgement(
            messages, error_share=switches.judge_error_share, lenient_share=switches.judge_lenient_share
        )
        if verdict is not None:
            replies = [cut(verdict, asked.max_tokens, asked.stops)] * asked.count
        else:
            replies = self._model.answers(
                policy_of(ref),
                messages,
                count=asked.count,
                temperature=asked.temperature,
                seed=asked.seed,
                max_tokens=asked.max_tokens,
                stops=asked.stops,
            )
        if on_piece is not None:
            for place, reply in enumerate(replies):
                on_piece(place, reply.text)
        return Answers(replies, prompt_tokens(messages))

    def prompt_tokens(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """The length of a prompt in simulated tokens."""
        return prompt_tokens(messages)

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
        """GRPO on the policy. Raises GraderFailed."""
        return await train(plan, start, reference=base.policy, grade=grade, keep=keep, step_seconds=step_seconds)

    async def close(self) -> None:
        """Nothing was started."""
