"""The kinds of graders: the one table from which recipes, functions, help texts and documents take them.

A kind's module is imported only when the kind is used, so that a grader function starts fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from tunedrop.graders.sample import DEADLINE_SECONDS, JSON, Grader, OptionsError
from tunedrop.nearest import suggestion

OWN_PREFIX = "own/"
"""Before the name of a team's own file, in the name of its kind."""


class Trust(StrEnum):
    """What a grader may do beside answering. Each has a grader function, whose role allows that and no more."""

    PLAIN = "plain"
    """Nothing."""
    CODE = "code"
    """Run what a model wrote."""
    JUDGE = "judge"
    """Ask a model."""
    OWN = "own"
    """Run a grader of the team's own (`own_file`)."""

    def covers(self, needed: Trust) -> bool:
        """Whether a grader that needs `needed` may run where this trust is given."""
        return needed in (Trust.PLAIN, self)


LONGEST_JUDGEMENT = 240.0
"""Seconds that a judge may take for one answer; the grader functions time out after 300."""
_AFTER_A_JUDGEMENT = 5.0
"""A judgement keeps its own time; so much later its process is killed, if it does not."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of grader."""

    factory: str
    """`module:factory`; the factory takes the options (a mapping) and returns the grader."""
    summary: str
    trust: Trust = Trust.PLAIN
    deadline_seconds: float = DEADLINE_SECONDS
    """What one sample gets before its process is killed."""
    composed: bool = False
    """Whether it is made of graders of other kinds. Then its factory takes the trust that it must stay within, too,
    and the grader says itself what trust and time it needs (`ComposedGrader`)."""


KINDS: Mapping[str, Kind] = {
    "math": Kind("tunedrop.graders.math.grader:MathGrader.from_options", "numbers and expressions, by their value"),
    "exact": Kind("tunedrop.graders.exact:ExactGrader.from_options", "texts, labels and lists"),
    "json": Kind("tunedrop.graders.json_fields:JsonGrader.from_options", "JSON and tool calls, by schema and field"),
    "code": Kind(
        "tunedrop.graders.code:CodeGrader.from_options", "programs, by running tests on them", Trust.CODE, 65.0
    ),
    "moderation": Kind("tunedrop.graders.moderation:ModerationGrader.from_options", "sets of labels"),
    "judge": Kind(
        "tunedrop.graders.judge:JudgeGrader.from_options",
        "anything, by asking a model with your rubric",
        Trust.JUDGE,
        LONGEST_JUDGEMENT + _AFTER_A_JUDGEMENT,
    ),
    "composite": Kind(
        "tunedrop.graders.composite:CompositeGrader.from_options",
        "several of these for one answer, weighted",
        deadline_seconds=20.0,
        composed=True,
    ),
}


@runtime_checkable
class ComposedGrader(Protocol):
    """A grader that is made of others: what it needs depends on its options."""

    trust: Trust
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Made:
    """A grader with its options, and what it needs."""

    grader: Grader
    trust: Trust
    deadline_seconds: float


def make(kind: str, options: Mapping[str, JSON], within: Trust | None = None) -> Made:
    """The grader of this kind with exactly these options.

    Raises OptionsError where the kind is unknown, an option is not one of the kind's, or the grader needs a trust that
    `within` does not cover (None: any is given).
    """
    if kind.startswith(OWN_PREFIX):
        from tunedrop.graders import own_file

        require_trust(f"the kind {kind!r}", Trust.OWN, within)
        file = own_file.named(kind.removeprefix(OWN_PREFIX))
        return Made(own_file.OwnGrader(file, options), Trust.OWN, file.deadline_seconds)
    described = KINDS.get(kind)
    if described is None:
        near = suggestion(kind, KINDS)
        raise OptionsError(f"There is no grader of kind {kind!r}; expected one of {', '.join(KINDS)}.{near}")
    require_trust(f"the kind {kind!r}", described.trust, within)
    module, _, factory = described.factory.partition(":")
    found: Any = import_module(module)  # looked up by name: the table says what it is
    for name in factory.split("."):
        found = getattr(found, name)
    arguments = (options, within) if described.composed else (options,)
    grader: Grader = found(*arguments)
    if isinstance(grader, ComposedGrader):
        require_trust(f"this {kind} grader", grader.trust, within)
        return Made(grader, grader.trust, grader.deadline_seconds)
    return Made(grader, described.trust, described.deadline_seconds)


def require_trust(what: str, needed: Trust, within: Trust | None) -> None:
    """Raises OptionsError where `within` does not cover what `what` needs."""
    if within is not None and not within.covers(needed):
        raise OptionsError(f"The {within} grader function may not run {what}: it needs the {needed} grader function.")
