"""Which of the documented layouts of a batch a grader of one's own reads: the one that is used from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from tunedrop.graders.deployed import LAYOUTS, DeployedGrader
from tunedrop.graders.graded import Layout, Rollout

SAME = 0.05
"""Mean rewards of the references that differ by no more are the same."""
_SHOWN: Mapping[Layout, str] = {
    "metadata": "`reference_answer` under `metadata`",
    "wrapped": 'at the top level, a text as {"text": …}',
    "row": "at the top level, as in the row",
}


def rewards_by_layout(graders: Mapping[Layout, DeployedGrader], references: Sequence[Rollout]) -> dict[Layout, float]:
    """The mean reward of the reference answers in each layout; 0.0 where the grader gave none."""
    rewards: dict[Layout, float] = {}
    for layout, grader in graders.items():
        given = [each.reward for each in grader.grade(references) if each.reward is not None]
        rewards[layout] = fmean(given) if given else 0.0
    return rewards


def best_layout(rewards: Mapping[Layout, float]) -> Layout:
    """The layout in which the references earn most; of those that earn the same, the one documented first."""
    most = max(rewards.values())
    return next(layout for layout in LAYOUTS if rewards.get(layout, -1.0) >= most - SAME)


def warning(rewards: Mapping[Layout, float]) -> tuple[str, str] | None:
    """What to say where the grader does not pay in every layout, and what to do; None where it does."""
    best = best_layout(rewards)
    poor = [layout for layout in LAYOUTS if layout in rewards and rewards[layout] < rewards[best] - SAME]
    if not poor:
        return None
    told = "; ".join(f"{_SHOWN[layout]}: {rewards[layout]:.2f}" for layout in (best, *poor))
    return (
        f"The grader does not read every documented layout of a batch. Mean reward of the references: {told}. The "
        "first is used for rehearsal and evaluation; which one the training sends is not confirmed.",
        "Let the grader look for the reference in each place.",
    )
