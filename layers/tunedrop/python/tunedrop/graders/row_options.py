"""Options that come with the row: one deployed version of a kind serves every recipe.

A recipe's `grader.options` are written into each training and test row under `tunedrop_grader`, since the service
hands every field of a row to the grader, and nothing else could tell a published function what this run wants.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping

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
MOST_KEPT = 16
"""Graders of different options that are kept ready; a run has one set of options, rows seldom more than a few."""


class RowOptionsGrader:
    """A grader whose options are the deployed ones, overlaid by those of the sample's row.

    It is quick, parallel, timed and prepared as the grader of the deployed options is: how many samples are graded at
    a time, and how long one may take at the most, is the function's business, not a row's.
    """

    def __init__(self, make: Callable[[Mapping[str, JSON]], Grader], options: Mapping[str, JSON]) -> None:
        self._make = make
        self._options = dict(options)
        self._usual = make(options)
        self._made: OrderedDict[str, Grader] = OrderedDict()
        self.workers = self._usual.workers if isinstance(self._usual, ParallelGrader) else 1
        self.deadline_seconds = (
            self._usual.deadline_seconds if isinstance(self._usual, TimedGrader) else DEADLINE_SECONDS
        )

    def check_reference(self, reference: JSON, row: Mapping[str, JSON]) -> str | None:
        """As the grader of the row's options says; options that cannot be are a reason, too."""
        try:
            grader = self._grader_of(row)
        except OptionsError as error:
            return f"`{OPTIONS_FIELD}`: {error}"
        return grader.check_reference(reference, row)

    def grade(self, sample: Sample) -> Grade:
        """Grade with the row's options. Raises OptionsError where they cannot be."""
        return self._grader_of(sample.row).grade(sample)

    def grade_quickly(self, sample: Sample) -> Grade | None:
        """The grade at once, where the kind can tell."""
        grader = self._grader_of(sample.row)
        return grader.grade_quickly(sample) if isinstance(grader, QuickGrader) else None

    def warm_up(self) -> None:
        """Get the grader of the deployed options ready."""
        if isinstance(self._usual, PreparedGrader):
            self._usual.warm_up()

    def _grader_of(self, row: Mapping[str, JSON]) -> Grader:
        options = row.get(OPTIONS_FIELD)
        if not options:
            return self._usual
        if not isinstance(options, Mapping):
            raise OptionsError(f"The options of a row must be an object, got {type(options).__name__}.")
        key = json.dumps(options, sort_keys=True)
        if key in self._made:
            self._made.move_to_end(key)
        else:
            self._made[key] = self._make({**self._options, **options})
            if len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
        return self._made[key]
