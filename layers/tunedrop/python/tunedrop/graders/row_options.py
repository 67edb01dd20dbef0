"""Options that come with the row: one deployed version of a kind serves every recipe.

A recipe's `grader.options` are written into each training and test row under `tunedrop_grader`, since the service
hands every field of a row to the grader, and nothing else could tell a published function what this run wants.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tunedrop.graders.sample import (
    DEADLINE_SECONDS,
    JSON,
    Grade,
    Grader,
    OptionsError,
    ParallelGrader,
    PreparedGrader,
    QuickGrader,
    Sample,
    TimedGrader,
)

OPTIONS_FIELD = "tunedrop_grader"
THOUGHTS = "thoughts"
"""The option that every kind takes: "cut" (the answer is graded without the model's thoughts), or "keep"."""
MOST_KEPT = 16
"""Graders of different options that are kept ready; a run has one set of options, rows seldom more than a few."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A grader with its options, and whether it sees the thoughts."""

    grader: Grader
    keeps_thoughts: bool


class RowOptionsGrader:
    """A grader whose options are the deployed ones, overlaid by those of the sample's row.

    It is quick, parallel, timed and prepared as the grader of the deployed options is: how many samples are graded at
    a time, and how long one may take at the most, is the function's business, not a row's.

    Thoughts are cut from an answer before it comes here; the option `thoughts: keep` brings them back. Where nothing is
    left but thoughts, the answer is worth 0.0, whatever the kind says to an empty one. A sample with thoughts has the
    metrics `thought_length` (characters) and `unfinished_thought` (0 or 1).
    """

    def __init__(self, make: Callable[[Mapping[str, JSON]], Grader], options: Mapping[str, JSON]) -> None:
        self._make = make
        self._options = dict(options)
        self._usual = self._choose(options)
        self._made: OrderedDict[str, _Chosen] = OrderedDict()
        usual = self._usual.grader
        self.workers = usual.workers if isinstance(usual, ParallelGrader) else 1
        self.deadline_seconds = usual.deadline_seconds if isinstance(usual, TimedGrader) else DEADLINE_SECONDS

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """As the grader of the row's options says; options that cannot be are a reason, too."""
        try:
            chosen = self._chosen_by(row)
        except OptionsError as error:
            return f"`{OPTIONS_FIELD}`: {error}"
        return chosen.grader.check_reference(reference, row)

    def grade(self, sample: Sample) -> Grade:
        """Grade with the row's options. Raises OptionsError where they cannot be."""
        chosen = self._chosen_by(sample.row)
        if (nothing := _nothing_but_thoughts(chosen, sample)) is not None:
            return nothing
        return _with_metrics(chosen.grader.grade(_as_chosen(chosen, sample)), sample)

    def grade_quickly(self, sample: Sample) -> Grade | None:
        """The grade at once, where the kind can tell."""
        chosen = self._chosen_by(sample.row)
        if (nothing := _nothing_but_thoughts(chosen, sample)) is not None:
            return nothing
        if not isinstance(chosen.grader, QuickGrader):
            return None
        grade = chosen.grader.grade_quickly(_as_chosen(chosen, sample))
        return None if grade is None else _with_metrics(grade, sample)

    def warm_up(self) -> None:
        """Get the grader of the deployed options ready."""
        if isinstance(self._usual.grader, PreparedGrader):
            self._usual.grader.warm_up()

    def _chosen_by(self, row: Mapping[str, JSON]) -> _Chosen:
        options = row.get(OPTIONS_FIELD)
        if not options:
            return self._usual
        if not isinstance(options, Mapping):
            raise OptionsError(f"The options of a row must be an object, got {type(options).__name__}.")
        key = json.dumps(options, sort_keys=True)
        if key in self._made:
            self._made.move_to_end(key)
        else:
            self._made[key] = self._choose({**self._options, **options})
            if len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
        return self._made[key]

    def _choose(self, options: Mapping[str, JSON]) -> _Chosen:
        thoughts = options.get(THOUGHTS, "cut")
        if thoughts not in ("cut", "keep"):
            raise OptionsError(f"The option {THOUGHTS} is {thoughts!r}, expected cut or keep.")
        own = {name: value for name, value in options.items() if name != THOUGHTS}
        return _Chosen(self._make(own), thoughts == "keep")


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
