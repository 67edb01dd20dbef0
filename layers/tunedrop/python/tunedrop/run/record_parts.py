"""The parts of a record: what the check of the dataset, the rehearsal, the training and the evaluation leave in it.

Each part is kept as a JSON document, so that no digit is lost. A part that a run has not come to is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

Finding = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Fields:
    """A part whose fields are those of its document."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The part in a document; fields that this version does not know are passed over."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})

    def to_document(self) -> dict[str, Any]:
        """The document of the part."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CheckedDataset(_Fields):
    """The files that are trained and tested on: their rows, and the hashes of the files that were dropped.

    `test_set` is `dropped`, or `held out` from the training rows; `findings` is the address of all findings.
    """

    rows: int | None = None
    test_rows: int | None = None
    validation_rows: int | None = None
    test_set: str | None = None
    sha256: str | None = None
    test_sha256: str | None = None
    findings: str | None = None
    warnings: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingProgress(_Fields):
    """How far the training is, and what its polls found.

    `progress_at` is when the last step came, `judged` how many steps the findings were looked for in. `checkpoints`
    has `step` and `model` of each, `choice` how the best of them was chosen. `events_unread`: the job's events could
    not be read; since `unread_since` an ended job's lists are asked for again. `weights` are those that this machine
    trained, a language model's.
    """

    simulated: bool | None = None
    weights: Mapping[str, str] | None = None
    steps: int | None = None
    total_steps: int | None = None
    reward_first: float | None = None
    reward_last: float | None = None
    progress_at: str | None = None
    checkpoints: Sequence[Mapping[str, Any]] | None = None
    judged: int = 0
    findings: Sequence[Finding] | None = None
    events_unread: bool = False
    unread_since: str | None = None
    choice: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Figures:
    """A part whose document has many figures, which reports and notices show as they are."""

    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The part in a document."""
        return cls(document)

    def to_document(self) -> Mapping[str, Any]:
        """The document of the part."""
        return self.document


@dataclass(frozen=True, slots=True)
class RehearsalResult(_Figures):
    """The figures of the rehearsal, its findings and its verdict."""

    @property
    def findings(self) -> Sequence[Finding] | None:
        return self.document.get("findings")

    @property
    def latency_p99(self) -> float | None:
        """Seconds in which nearly every answer came."""
        return self.document.get("latency_p99")

    @property
    def mean_reward(self) -> float | None:
        return self.document.get("mean_reward")

    @property
    def groups_with_signal(self) -> float | None:
        return self.document.get("groups_with_signal")


@dataclass(frozen=True, slots=True)
class EvaluationResult(_Figures):
    """The figures of the comparison that the terminal notice gives."""

    @property
    def verdict(self) -> str | None:
        return self.document.get("verdict")

    @property
    def difference(self) -> float | None:
        """The tuned model's mean reward less the base model's."""
        return self.document.get("difference")

    @property
    def suspected_reward_hacking(self) -> bool:
        return bool(self.document.get("suspected_reward_hacking"))


Part = CheckedDataset | RehearsalResult | TrainingProgress | EvaluationResult
