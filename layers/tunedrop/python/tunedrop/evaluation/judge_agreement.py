"""How far a judge can be believed: its verdicts beside those of people, on examples that people have labelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tunedrop.evaluation.statistics import wilson
from tunedrop.graders.sample import Grader, Sample


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of how many labelled examples the judge said the same as the label.

    `low` and `high` bound the share by Wilson's 95% interval (1927); `kappa` is Cohen's (1960), agreement beyond
    chance, None where all labels and verdicts are of one kind. `ungraded` examples are in no other number.
    """

    graded: int
    agreed: int
    false_accepts: int
    false_rejects: int
    ungraded: int
    share: float
    low: float
    high: float
    kappa: float | None


def measure_agreement(grader: Grader, examples: Iterable[tuple[Sample, bool]]) -> Agreement:
    """Grade each example and compare with its label (whether people call the answer right).

    An answer is accepted where the grader calls it correct, or, where it does not say, from a reward of 0.5. Raises
    ValueError without a single example that could be graded.
    """

    def verdict(sample: Sample) -> bool | None:
        try:
            grade = grader.grade(sample)
        except Exception:  # what a grader raises means that nothing is known of the sample
            return None
        return grade.correct if grade.correct is not None else grade.reward >= 0.5

    return agreement_of((verdict(sample), label) for sample, label in examples)


def agreement_of(verdicts: Iterable[tuple[bool | None, bool]]) -> Agreement:
    """Verdicts (None where there was none) beside labels. Raises ValueError as `measure_agreement` does."""
    accepted_right = rejected_wrong = false_accepts = false_rejects = ungraded = 0
    for accepted, label in verdicts:
        if accepted is None:
            ungraded += 1
            continue
        accepted_right += accepted and label
        rejected_wrong += not accepted and not label
        false_accepts += accepted and not label
        false_rejects += not accepted and label
    return _agreement(accepted_right, rejected_wrong, false_accepts, false_rejects, ungraded)


def _agreement(
    accepted_right: int, rejected_wrong: int, false_accepts: int, false_rejects: int, ungraded: int
) -> Agreement:
    agreed = accepted_right + rejected_wrong
    graded = agreed + false_accepts + false_rejects
    if graded == 0:
        raise ValueError(f"the grader could grade none of the {ungraded} examples, so agreement cannot be measured")
    share = agreed / graded
    low, high = wilson(agreed, graded)
    accepts, right = accepted_right + false_accepts, accepted_right + false_rejects
    chance = (accepts * right + (graded - accepts) * (graded - right)) / graded**2
    return Agreement(
        graded=graded,
        agreed=agreed,
        false_accepts=false_accepts,
        false_rejects=false_rejects,
        ungraded=ungraded,
        share=share,
        low=low,
        high=high,
        kappa=(share - chance) / (1 - chance) if chance < 1 else None,
    )
