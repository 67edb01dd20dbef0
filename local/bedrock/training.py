"""What a training is: its plan, how far it has come, and who grades. Each engine trains in its own way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from local.bedrock.chance import generator
from local.bedrock.grading import Reply
from local.bedrock.model_ref import ModelRef, ref_from_json, ref_to_json
from local.bedrock.records import Document

Grade = Callable[[Sequence[Reply]], Awaitable[list[float]]]
"""Gives the reward of each reply, in order; raises GraderFailed."""

FEWEST_ROWS = 100  # the documented bounds of a training file
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Plan:
    """What is trained on, and how; the same plan gives the same training, step by step."""

    name: str
    rows: Sequence[Document]
    batch_size: int  # prompts a step
    epochs: int
    group_size: int  # rollouts a prompt
    max_tokens: int  # longest rollout
    rate: float = 1.0  # multiplies the learning rates
    seed: int = 0
    holds_out: bool = True  # a tenth of the rows is not trained on
    checkpoint_every: int = 20  # steps
    labels: Sequence[str] = field(default=())

    @cached_property
    def trained(self) -> list[int]:
        """Positions of the rows that are trained on: nine tenths, drawn by the seed, or all."""
        if not self.holds_out:
            return list(range(len(self.rows)))
        return sorted(generator("hold-out", self.seed).sample(range(len(self.rows)), len(self.rows) * 9 // 10))

    @property
    def steps_an_epoch(self) -> int:
        """Full batches in one pass: 300 rows, a tenth held out, batches of 4: 67. A pass has at least one step."""
        return max(1, len(self.trained) // self.batch_size)

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.steps_an_epoch * self.epochs

    def batch(self, step: int) -> list[Document]:
        """The rows of a step, counted from 1; each epoch has an order of its own."""
        epoch, place = divmod(step - 1, self.steps_an_epoch)
        order = self.trained.copy()
        generator("order", self.seed, epoch).shuffle(order)
        return [self.rows[index] for index in order[place * self.batch_size : (place + 1) * self.batch_size]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come: steps done, the model after them, tokens sampled so far.

    A language model is kept at the plan's checkpoints only: after other steps, `model` is that of the last one.
    """

    step: int
    model: ModelRef
    tokens: int = 0

    def to_json(self) -> Document:
        """As a JSON object, `from_json`'s counterpart."""
        return {"step": self.step, **ref_to_json(self.model), "tokens": self.tokens}

    @classmethod
    def from_json(cls, document: Document) -> Progress:
        """The progress that `to_json` wrote."""
        return cls(document["step"], ref_from_json(document), document["tokens"])
