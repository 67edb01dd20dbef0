"""Which of the documented layouts of a batch a grader of one's own reads: the one that is used from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from tunedrop.graders.deployed import LAYOUTS, DeployedGrader
from tunedrop.graders.graded import Layout, Rollout
from tunedrop.graders.reward_range import UNIT, RewardRange

SAME = 0.05
"""Mean rewards of the references that differ by no more are the same: a share of the rewards' range."""
_SHOWN: Mapping[Layout, str] = {
    "metadata": "`reference_answer` under `metadata`",
    "wrapped": 'at the top level, a text as {"text": …}',
    "row": "at the top level, as in the row",
}


def rewards_by_layout(
    graders: Mapping[Layout, DeployedGrader], references: Sequence[Rollout], rewards: RewardRange = UNIT
) -> dict[Layout, float]:
    """The mean reward of the reference answers in each layout; the least one where the grader gave none."""
    means: dict[Layout, float] = {}
    for layout, grader in graders.items():
        given = [each.reward for each in grader.grade(references) if each.reward is not None]
        means[layout] = fmean(given) if given else rewards.low
    return means


def best_layout(means: Mapping[Layout, float], rewards: RewardRange = UNIT) -> Layout:
    """The layout in which the references earn most; of those that earn the same, the one documented first."""
    least = max(means.values()) - SAME * rewards.width
    return next(layout for layout in LAYOUTS if layout in means and means[layout] >= least)


def warning(means: Mapping[Layout, float], rewards: RewardRange = UNIT) -> tuple[str, str] | None:
    """What to say where the grader does not pay in every layout, and what to do; None where it does."""
    best = best_layout(means, rewards)
    least = means[best] - SAME * rewards.width
    poor = [layout for layout in LAYOUTS if layout in means and means[layout] < least]
    if not poor:
        return None
    told = "; ".join(f"{_SHOWN[layout]}: {means[layout]:.2f}" for layout in (best, *poor))
    return (
        f"The grader does not read every documented layout of a batch. Mean reward of the references: {told}. The "
        "first is used for rehearsal and evaluation; it is not yet confirmed which one the training sends.",
        "Let the grader look for the reference in each place.",
    )
