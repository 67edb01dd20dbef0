"""What a grader is given and what it gives back, whichever kind it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from tunedrop.nearest import suggestion

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"


class OptionsError(ValueError):
    """The options of a grader name something that its kind does not know, or give a value out of bounds."""


def require_known(options: Iterable[str], known: Sequence[str], subject: str) -> None:
    """Raises OptionsError where one of `options` is not `known`; `subject` begins its message: "The part x has"."""
    unknown = sorted(set(options) - set(known))
    if unknown:
        near = suggestion(unknown[0], known)
        raise OptionsError(f"{subject} no option {unknown[0]!r}; it has {', '.join(known)}.{near}")


def no_choice(told: str, known: Iterable[str], got: JSON) -> OptionsError:
    """The refusal of a value that is none of `known`; `told` begins its message: "The option x must be"."""
    names = list(known)
    return OptionsError(f"{told} one of {', '.join(names)}, got {got!r:.80}.{suggestion(got, names)}")


@dataclass(frozen=True, slots=True)
class Sample:
    """One rollout: a prompt with one answer of the model, whichever of the three wire variants it came in."""

    id: str
    messages: Sequence[Mapping[str, JSON]]
    """The conversation without its last turn, the answer."""
    answer: str
    """Text of the last turn (role assistant or nova_assistant) without the model's thoughts; several text parts are
    joined by a line break. Empty where a thought never ended."""
    reference: JSON
    """The row's `reference_answer`, unwrapped from `{"text": …}`; None where the row has none."""
    row: Mapping[str, JSON]
    """The row's other fields, from `metadata` or from the top level."""
    whole: str | None = None
    """The last turn's text with its thoughts, as it came; None where nothing was cut from it."""
    thought_length: int | None = None
    """Characters of the thoughts, in the text or beside it; None where the model showed none."""
    unfinished_thought: bool = False
    """Whether the last thought never ended."""
    calls: Sequence[Mapping[str, JSON]] = ()
    """Calls of tools that the last turn makes beside its text, each an object of `name` and `arguments`. Where there is
    no text, `answer` is their JSON."""


MOST_PARTS = 40
"""Most parts of a grade that are told."""

PART_CHARACTERS = 120
"""Longest text of a part."""


class Part(NamedTuple):
    """One part of an answer, as the grader saw it: a field, a test, a label. Told with explanations only."""

    name: str
    """A JSON Pointer, "test 3", a label."""
    credit: float
    """0 (wrong) to 1 (right)."""
    cost: float
    """How much of the reward it took away."""
    expected: str = ""
    """What was right there; empty where the name says it."""
    got: str = ""
    """What the answer had there; empty where it is right or had nothing."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What one answer is worth."""

    reward: float
    """Finite, 0 to 1; the contract clips what is outside and refuses what is not a number."""
    components: Mapping[str, float]
    """What the reward is made of; each becomes a metric of type "Reward"."""
    correct: bool | None
    """Whether the answer is right, where that can be said; becomes the metric "accuracy"."""
    explanation: str
    """One sentence for reports; sent only when asked for."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What was observed but is not paid for (the format of the answer, lengths); each a metric of type "Metric"."""
    parts: tuple[Part, ...] = ()
    """The answer part by part, for reports; sent only when asked for."""


class Grader(Protocol):
    """One kind of grader with its options applied. It keeps no state between samples: same sample, same grade."""

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """Why a row with this reference cannot be graded, as a sentence; None when it can."""
        ...

    def grade(self, sample: Sample) -> Grade:
        """Grade one answer. May raise: the batch answers 0.0 with a `grader_error` metric for this sample alone.

        It runs in a worker process that is killed at the sample's deadline, so it may take long, but not keep
        anything in memory for the next sample.
        """
        ...


@runtime_checkable
class QuickGrader(Protocol):
    """A grader that can settle most samples at once, in time linear in a capped length, without a worker process."""

    def grade_quickly(self, sample: Sample) -> Grade | None:
        """The grade, or None where only `grade` (in the worker, under the deadline) can tell."""
        ...


@runtime_checkable
class ParallelGrader(Protocol):
    """A grader that mostly waits (for a model, for a child process) and so grades several samples at once."""

    workers: int
    """How many worker processes to grade a batch with; 1 where a grader says nothing."""


@runtime_checkable
class PreparedGrader(Protocol):
    """A grader with something slow to import or open, once a worker process, outside any sample's deadline."""

    def warm_up(self) -> None:
        """Get ready, in the worker process."""
        ...


DEADLINE_SECONDS = 5.0
"""What a sample gets, where its kind says nothing else. The service wants a batch in "seconds, not minutes"."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How one sample is graded in a worker process."""

    deadline_seconds: float = DEADLINE_SECONDS
    """After this it is cut off."""
    at_once: int = 1
    """How many samples of its batch may be graded at a time."""


@runtime_checkable
class ChoosingGrader(Protocol):
    """A grader that gives each sample to a grader of its own choice."""

    def terms(self, row: Mapping[str, JSON]) -> Terms:
        """How a sample of this row is graded. Raises OptionsError where no grader can grade it."""
        ...

    def prepare(self, row: Mapping[str, JSON]) -> None:
        """Get the row's grader ready, in the worker process, outside the sample's deadline."""
        ...
