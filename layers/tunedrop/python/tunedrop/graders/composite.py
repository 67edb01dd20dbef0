"""The `composite` kind: several graders for one answer, weighted, with gates, and terms for format and length."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from tunedrop.graders.answer_form import Penalty, penalties_from_options
from tunedrop.graders.formula import Formula, FormulaError
from tunedrop.graders.kinds import KINDS, LONGEST_JUDGEMENT, Made, Trust, make
from tunedrop.graders.named import Named, NamingGrader
from tunedrop.graders.openai_definition.grader import OpenAIDefinitionGrader, asks_a_model, is_definition
from tunedrop.graders.sample import (
    JSON,
    Grade,
    Grader,
    OptionsError,
    ParallelGrader,
    Part,
    PreparedGrader,
    Sample,
    no_choice,
    require_known,
)
from tunedrop.nearest import suggestion

_OPTIONS = ("parts", "formula", "penalties")
_PART_OPTIONS = ("kind", "options", "weight", "gate", "reference")
_KINDS = tuple(name for name, kind in KINDS.items() if not kind.composed)
_MOST_PARTS = 20
_LONGEST_CODE = 10.0
_USUAL_JUDGEMENT = 60.0


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    made: Made
    weight: float
    gate: float
    reference: tuple[str, ...]

    @property
    def grader(self) -> Grader:
        return self.made.grader

    def sample(self, sample: Sample) -> Sample:
        return Sample(sample.id, sample.messages, sample.answer, self.own(sample.reference), sample.row)

    def own(self, reference: JSON) -> JSON:
        for key in self.reference:
            reference = reference.get(key) if isinstance(reference, Mapping) else None
        return reference


class CompositeGrader:
    """Options:

    - `parts`: name → `kind` (any but composite), its `options`, `weight` (1.0), `gate` (0.0: below this score of the
      part, the whole answer is worth nothing), `reference` (JSON Pointer into the row's reference).
    - `formula`: instead of the weighted mean, a formula over the parts' names (see `formula`).
    - `penalties`: terms for the answer's form, each at most its `weight` of the reward (`answer_form`): they take away
      and never give, so that a well-formed wrong answer earns nothing.

    A grade tells each part with its score and its cost: how much higher the reward would be if this part alone were
    right. What the part's own grader tells (a field, a label) follows under the part's name, at no cost of its own.

    An answer is right when all parts that can say so call it right. The parts of one answer are graded one after the
    other, within the time of this kind, or of a judge where one of them asks a model.
    """

    def __init__(
        self, parts: Mapping[str, _Part], *, formula: Formula | None = None, penalties: tuple[Penalty, ...] = ()
    ) -> None:
        self._parts = dict(parts)
        self._formula = formula
        self._penalties = penalties
        self.workers = max(
            (part.grader.workers for part in parts.values() if isinstance(part.grader, ParallelGrader)), default=1
        )
        self.trust = _trust(parts)
        kind = "judge" if self.trust is Trust.JUDGE else "composite"
        self.deadline_seconds = KINDS[kind].deadline_seconds

    @classmethod
    def from_options(cls, options: Mapping[str, JSON], within: Trust | None = None) -> Self | Grader:
        """Also takes an OpenAI grader definition, as it is. Raises OptionsError, naming the part."""
        if is_definition(options):
            return make("judge", options, within).grader if asks_a_model(options) else OpenAIDefinitionGrader(options)
        require_known(options, _OPTIONS, "The composite grader knows")
        described = options.get("parts", {"exact": {"kind": "exact"}})
        if not isinstance(described, Mapping) or not 1 <= len(described) <= _MOST_PARTS:
            raise OptionsError(f"The composite grader's parts must be an object of 1 to {_MOST_PARTS} named parts.")
        parts = {name: _part(name, part, within) for name, part in described.items()}
        _require_time_for_judges(described)
        text = options.get("formula")
        formula = None
        if text is not None:
            formula = _formula(text, parts)
        elif not math.fsum(part.weight for part in parts.values()) > 0:
            raise OptionsError("The composite grader's weights must add up to more than 0.")
        return cls(parts, formula=formula, penalties=penalties_from_options(options.get("penalties", {})))

    def warm_up(self) -> None:
        """Get each part ready."""
        for part in self._parts.values():
            if isinstance(part.grader, PreparedGrader):
                part.grader.warm_up()

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """The first part that cannot grade the row, with its reason, or None."""
        for part in self._parts.values():
            reason = part.grader.check_reference(part.own(reference), row)
            if reason is not None:
                return f"{part.name}: {reason}"
        return None

    def named(self, reference: JSON, row: Mapping[str, JSON]) -> list[Named]:
        """What the options of the parts name."""
        return [
            each._replace(option=f"parts.{name}.options.{each.option}")
            for name, part in self._parts.items()
            if isinstance(part.grader, NamingGrader)
            for each in part.grader.named(part.own(reference), row)
        ]

    def names(self, reference: JSON) -> Iterator[str]:
        """What the options of the parts could name."""
        for part in self._parts.values():
            if isinstance(part.grader, NamingGrader):
                yield from part.grader.names(part.own(reference))

    def grade(self, sample: Sample) -> Grade:
        """Grade by every part. Raises what a part raises: with one part missing, the whole is not known."""
        grades = {name: part.grader.grade(part.sample(sample)) for name, part in self._parts.items()}
        scores = {name: min(1.0, max(0.0, grade.reward)) for name, grade in grades.items()}
        verdicts = [grade.correct for grade in grades.values() if grade.correct is not None]
        forms = {penalty.name: penalty.score(sample.answer) for penalty in self._penalties}
        shut = self._shut(scores)
        reward = self._reward(scores, forms)
        told = ", ".join(f"{name} {score:.3g}" for name, score in {**scores, **forms}.items())
        return Grade(
            reward=reward,
            components={**scores, **forms},
            correct=all(verdicts) if verdicts else None,
            explanation=f"{told}; the gate {shut[0]!r} is closed." if shut else f"{told}.",
            parts=(
                *(Part(name, score, self._cost(name, scores, forms, reward)) for name, score in scores.items()),
                *(
                    each._replace(name=f"{name}: {each.name}", cost=0.0)
                    for name, grade in grades.items()
                    for each in grade.parts
                ),
            ),
        )

    def _shut(self, scores: Mapping[str, float]) -> list[str]:
        """The parts whose gate is closed."""
        return [name for name, part in self._parts.items() if scores[name] < part.gate]

    def _reward(self, scores: Mapping[str, float], forms: Mapping[str, float]) -> float:
        reward = 0.0 if self._shut(scores) else min(1.0, max(0.0, self._value(scores)))
        for penalty in self._penalties:
            reward *= 1.0 - penalty.weight * (1.0 - forms[penalty.name])
        return reward

    def _cost(self, name: str, scores: Mapping[str, float], forms: Mapping[str, float], reward: float) -> float:
        """How much higher the reward would be if this part alone were right; 0 where the formula has no value there."""
        try:
            return max(0.0, self._reward({**scores, name: 1.0}, forms) - reward)
        except FormulaError:
            return 0.0

    def _value(self, scores: Mapping[str, float]) -> float:
        if self._formula is not None:
            return self._formula.value(scores)
        total = math.fsum(part.weight for part in self._parts.values())
        return math.fsum(part.weight * scores[name] for name, part in self._parts.items()) / total


def _trust(parts: Mapping[str, _Part]) -> Trust:
    needed = {part.made.trust: name for name, part in parts.items() if part.made.trust is not Trust.PLAIN}
    if len(needed) > 1:
        raise OptionsError(
            f"The parts {needed[Trust.CODE]!r} and {needed[Trust.JUDGE]!r} cannot be combined: no grader function may "
            "both run what a model wrote and ask a model."
        )
    return next(iter(needed), Trust.PLAIN)


def _require_time_for_judges(described: Mapping[str, JSON]) -> None:
    """Raises OptionsError where the judges of one answer, one after the other, may take longer than one judge may."""
    seconds = 0.0
    for part in described.values():
        if isinstance(part, Mapping) and part.get("kind") == "judge":
            options = part.get("options", {})
            given = options.get("seconds", _USUAL_JUDGEMENT) if isinstance(options, Mapping) else _USUAL_JUDGEMENT
            seconds += given if isinstance(given, (int, float)) else 0.0
    if seconds > LONGEST_JUDGEMENT:
        raise OptionsError(
            f"The `seconds` of the composite grader's judges may add up to {LONGEST_JUDGEMENT:g} at the most, got "
            f"{seconds:g}."
        )


def _part(name: str, described: JSON, within: Trust | None) -> _Part:
    if not isinstance(described, Mapping):
        raise OptionsError(f"The part {name!r} must be an object with `kind`.")
    require_known(described, _PART_OPTIONS, f"The part {name!r} has")
    kind, options = described.get("kind"), described.get("options", {})
    if kind not in _KINDS:
        raise no_choice(f"The kind of the part {name!r} must be", _KINDS, kind)
    if not isinstance(options, Mapping):
        raise OptionsError(f"The options of the part {name!r} must be an object.")
    seconds = options.get("seconds", 0)
    if kind == "code" and isinstance(seconds, (int, float)) and seconds > _LONGEST_CODE:
        raise OptionsError(f"The part {name!r} may set seconds to {_LONGEST_CODE:g} at the most, got {seconds!r}.")
    numbers = {}
    for field, usual, most in (("weight", 1.0, math.inf), ("gate", 0.0, 1.0)):
        value = described.get(field, usual)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not 0 <= value <= most
            or value == math.inf
        ):
            raise OptionsError(f"The {field} of the part {name!r} must be a number from 0, got {value!r}.")
        numbers[field] = float(value)
    pointer = described.get("reference", "")
    if not isinstance(pointer, str):
        raise OptionsError(f"The reference of the part {name!r} must be a JSON Pointer, got {pointer!r}.")
    path = tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("/").split("/") if part)
    try:
        made = make(str(kind), options, within)
    except OptionsError as error:
        raise OptionsError(f"The part {name!r}: {error}") from None
    return _Part(name, made, numbers["weight"], numbers["gate"], path)


def _formula(text: JSON, parts: Mapping[str, _Part]) -> Formula:
    if not isinstance(text, str):
        raise OptionsError(f"The composite grader's formula must be a text, got {text!r}.")
    try:
        formula = Formula(text)
    except FormulaError as error:
        raise OptionsError(f"The composite grader's formula: {error}.") from None
    unknown = sorted(formula.names - parts.keys())
    if unknown:
        near = suggestion(unknown[0], parts)
        raise OptionsError(f"The composite grader's formula uses {unknown[0]!r}, which is not one of its parts.{near}")
    return formula
