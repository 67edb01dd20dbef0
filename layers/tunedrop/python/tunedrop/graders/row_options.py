"""The grader that a row names: one deployed version serves every recipe.

A recipe's kind of grader and its options are written into each training and test row under `tunedrop_grader`, since the
service hands every field of a row to the grader, and nothing else could tell a published function what this run wants.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tunedrop.graders.kinds import KINDS, Made, Trust, make
from tunedrop.graders.named import Named, NamingGrader
from tunedrop.graders.sample import (
    JSON,
    Grade,
    Grader,
    OptionsError,
    ParallelGrader,
    PreparedGrader,
    QuickGrader,
    Sample,
    Terms,
    no_choice,
)

OPTIONS_FIELD = "tunedrop_grader"
KIND = "kind"
"""In a row's `tunedrop_grader`, beside the options: the kind of grader. No option has this name."""
THOUGHTS = "thoughts"
"""The option that every kind takes: "cut" (the answer is graded without the model's thoughts), or "keep"."""
_THOUGHTS = ("cut", "keep")
MOST_KEPT = 16
"""Graders of different options that are kept ready; a run has one set of options, rows seldom more than a few."""


def field_of_row(kind: str, options: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """A row's `tunedrop_grader`: the recipe's kind and options, with what the row says itself (`own`) over them.

    A row that names another kind has nothing of the recipe's options.
    """
    named = own.get(KIND, kind)
    return {KIND: named, **(options if named == kind else {}), **own}


@dataclass(slots=True)
class _Chosen:
    """A grader with its options, whether it sees the thoughts, and whether it is ready."""

    made: Made
    keeps_thoughts: bool
    prepared: bool = False

    @property
    def grader(self) -> Grader:
        return self.made.grader


class RowGrader:
    """Grades each sample by the grader that its row names, with the row's options.

    No row gets a grader that needs more than `trust`. `kind` and `options` are for rows that name none; a deployed
    function has none, so that a row without a kind cannot be graded there.

    Thoughts are cut from an answer before it comes here; the option `thoughts: keep` brings them back. Where nothing is
    left but thoughts, the answer is worth 0.0, whatever the kind says to an empty one. A sample with thoughts has the
    metrics `thought_length` (characters) and `unfinished_thought` (0 or 1).
    """

    def __init__(self, trust: Trust, *, kind: str = "", options: Mapping[str, JSON] | None = None) -> None:
        self.trust = trust
        self._kind = kind
        self._options = dict(options or {})
        self._made: OrderedDict[str, _Chosen] = OrderedDict()

    @classmethod
    def of(cls, kind: str, options: Mapping[str, JSON] | None = None) -> RowGrader:
        """The grader of this kind with these options, for rows that may overlay them and need no more trust than it.

        Raises OptionsError where the kind is unknown or an option is not one of the kind's.
        """
        if options and KIND in options:
            raise OptionsError(f"The option {KIND} names the kind of a row's grader; a grader has no such option.")
        usual = _choose(field_of_row(kind, options or {}, {}), within=None)
        grader = cls(usual.made.trust, kind=kind, options=options)
        grader._made[_key({})] = usual
        return grader

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """As the grader of the row's options says; options that cannot be are a reason, too."""
        try:
            chosen = self._chosen_by(row)
        except OptionsError as error:
            return str(error)
        return chosen.grader.check_reference(reference, row)

    def named(self, reference: JSON, row: Mapping[str, JSON]) -> Sequence[Named]:
        """What the recipe's options name; nothing for a row that has options of its own."""
        grader = self._chosen_by({}).grader
        return grader.named(reference, row) if isinstance(grader, NamingGrader) and not row.get(OPTIONS_FIELD) else ()

    def names(self, reference: JSON) -> Iterable[str]:
        """What they could name in this reference."""
        grader = self._chosen_by({}).grader
        return grader.names(reference) if isinstance(grader, NamingGrader) else ()

    def grade(self, sample: Sample) -> Grade:
        """Grade with the row's options. Raises OptionsError where they cannot be."""
        chosen = self._chosen_by(sample.row)
        if (nothing := _nothing_but_thoughts(chosen, sample)) is not None:
            return nothing
        return _with_metrics(chosen.grader.grade(_as_chosen(chosen, sample)), sample)

    def grade_quickly(self, sample: Sample) -> Grade | None:
        """The grade at once, where the kind can tell. Raises OptionsError as `grade` does."""
        chosen = self._chosen_by(sample.row)
        if (nothing := _nothing_but_thoughts(chosen, sample)) is not None:
            return nothing
        if not isinstance(chosen.grader, QuickGrader):
            return None
        grade = chosen.grader.grade_quickly(_as_chosen(chosen, sample))
        return None if grade is None else _with_metrics(grade, sample)

    def terms(self, row: Mapping[str, JSON]) -> Terms:
        """What the row's grader needs. Raises OptionsError as `grade` does."""
        made = self._chosen_by(row).made
        at_once = made.grader.workers if isinstance(made.grader, ParallelGrader) else 1
        return Terms(made.deadline_seconds, at_once)

    def prepare(self, row: Mapping[str, JSON]) -> None:
        """Get the row's grader ready, once in this process."""
        chosen = self._chosen_by(row)
        if not chosen.prepared and isinstance(chosen.grader, PreparedGrader):
            chosen.grader.warm_up()
        chosen.prepared = True

    def _chosen_by(self, row: Mapping[str, JSON]) -> _Chosen:
        own = row.get(OPTIONS_FIELD) or {}
        if not isinstance(own, Mapping):
            raise OptionsError(f"`{OPTIONS_FIELD}` must be an object, got {type(own).__name__}.")
        key = _key(own)
        if key in self._made:
            self._made.move_to_end(key)
        else:
            try:
                self._made[key] = _choose(field_of_row(self._kind, self._options, own), self.trust)
            except OptionsError as error:
                raise OptionsError(f"`{OPTIONS_FIELD}`: {error}") from None
            if len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
        return self._made[key]


def _key(own: Mapping[str, JSON]) -> str:
    return json.dumps(own, sort_keys=True) if own else "{}"


def _choose(field: Mapping[str, JSON], within: Trust | None) -> _Chosen:
    options = dict(field)
    kind = options.pop(KIND)
    if not isinstance(kind, str) or not kind:
        raise OptionsError(f"It names no kind of grader: `{KIND}` is {kind!r}; expected one of {', '.join(KINDS)}.")
    thoughts = options.pop(THOUGHTS, "cut")
    if thoughts not in _THOUGHTS:
        raise no_choice(f"The option {THOUGHTS} must be", _THOUGHTS, thoughts)
    return _Chosen(make(kind, options, within), thoughts == "keep")


def _as_chosen(chosen: _Chosen, sample: Sample) -> Sample:
    return replace(sample, answer=sample.whole) if chosen.keeps_thoughts and sample.whole is not None else sample


def _nothing_but_thoughts(chosen: _Chosen, sample: Sample) -> Grade | None:
    """The grade of a sample that holds thoughts and no answer; None for every other."""
    if chosen.keeps_thoughts or sample.thought_length is None or sample.answer.strip():
        return None
    told = "The model's thought never ended" if sample.unfinished_thought else "Nothing stands behind the thoughts"
    return _with_metrics(Grade(0.0, {}, False, f"{told}: there is no answer."), sample)


def _with_metrics(grade: Grade, sample: Sample) -> Grade:
    if sample.thought_length is None:
        return grade
    seen = {"thought_length": float(sample.thought_length), "unfinished_thought": float(sample.unfinished_thought)}
    return replace(grade, metrics={**grade.metrics, **seen})
