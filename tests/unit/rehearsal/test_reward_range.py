"""A grader whose rewards go from -1 to 1: gates, findings and statistics take them as shares of that range."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.comparison import compare
from tunedrop.evaluation.statistics import mean_with_interval
from tunedrop.evaluation.tally import REWARD_BINS, Tally
from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.graded import Graded, Rollout
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import Gates
from tunedrop.recipe_resolution import resolve
from tunedrop.rehearsal.findings import judge
from tunedrop.rehearsal.layouts import best_layout, warning
from tunedrop.training.health import new_findings

SIGNED = RewardRange(-1.0, 1.0)
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:own-grader:1"
SOUND: dict[str, Any] = {
    "samples": 64,
    "mean_reward": -0.1,
    "groups_with_signal": 0.6,
    "grader_errors": 0.0,
    "reference_reward": 1.0,
    "honest_wrong_reward": -1.0,
    "cheats": {"hedging": -1.0},
    "unstable": 0.0,
    "step_grading_seconds": 1.0,
    "truncated": 0.0,
    "truncated_paid": 0.0,
    "paid_unmarked": None,
    "unfinished_thoughts": 0.0,
    "max_tokens_to_try": None,
}


def own(**grader: Any) -> dict[str, Any]:
    return {"grader": {"kind": "own", "function": FUNCTION, **grader}}


def rules(figures: dict[str, Any], rewards: RewardRange) -> set[str]:
    return {finding.rule for finding in judge({**SOUND, **figures}, Gates(), rewards)}


def test_a_recipe_declares_the_range_of_a_function_of_ones_own() -> None:
    assert resolve(own(range=[-1, 1]), "us-west-2").grader.reward_range == SIGNED
    assert resolve(own(), "us-west-2").grader.reward_range == UNIT


@pytest.mark.parametrize(
    "document",
    [own(range=[1, -1]), own(range=[0, 0]), own(range=[-1]), own(range=["a", 1]), {"grader": {"range": [-1, 1]}}],
)
def test_a_range_that_is_none_or_is_another_kind_s_is_refused_by_name(document: dict[str, Any]) -> None:
    with pytest.raises(RecipeInvalid, match=r"grader.*range|grader\.range"):
        resolve(document, "us-west-2")


def test_the_gates_are_shares_of_the_range() -> None:
    assert rules({}, SIGNED) == set()
    assert rules({}, UNIT) == {"baseline_too_low"}
    assert rules({"mean_reward": -0.99}, SIGNED) == {"baseline_too_low"}
    assert rules({"mean_reward": 0.93}, SIGNED) == {"baseline_too_high"} - rules({"mean_reward": 0.85}, SIGNED)
    assert rules({"reference_reward": 0.7}, SIGNED) == {"reference_scores_low"}
    assert rules({"cheats": {"hedging": -0.85}}, SIGNED) == set()
    assert rules({"cheats": {"hedging": -0.75}}, SIGNED) == {"cheat_pays"}


def test_a_gate_s_message_names_the_reward_and_the_range() -> None:
    (finding,) = judge({**SOUND, "mean_reward": -0.99}, Gates(), SIGNED)
    assert "-0.990; at least -0.98 is needed" in finding.message
    assert "`gates.least_baseline`: 0.01 of the range from -1 to 1" in finding.message


def test_a_reward_outside_the_range_is_no_reward_and_says_why() -> None:
    class Function:
        def invoke(self, **_: Any) -> dict[str, Any]:
            told = [{"id": str(reward), "aggregate_reward_score": reward} for reward in (-0.5, 0.5, 1.0000000001)]
            return {"Payload": io.BytesIO(json.dumps(told).encode())}

    def graded(rewards: RewardRange) -> list[Graded]:
        rollouts = [Rollout(str(reward), {"messages": []}, "") for reward in (-0.5, 0.5, 1.0000000001)]
        function: Any = Function()
        return DeployedGrader(function, "arn", rewards=rewards).grade(rollouts)

    assert [each.reward for each in graded(SIGNED)] == [-0.5, 0.5, 1.0000000001]
    outside, *inside = graded(UNIT)
    assert (outside.reward, [each.ungraded for each in inside]) == (None, [None, None])
    assert outside.ungraded == "the reward is outside 0 to 1, which the recipe's `grader.range` says"
    assert "reward -0.5" in outside.explanation


def test_the_rehearsal_says_that_the_rewards_leave_the_range() -> None:
    why = "the reward is outside 0 to 1, which the recipe's `grader.range` says"
    (finding,) = judge({**SOUND, "mean_reward": 0.5, "grader_errors": 0.6, "most_common_error": why}, Gates())
    assert why in finding.message


def test_a_layout_in_which_all_is_wrong_is_not_taken_for_one_without_rewards() -> None:
    means: Any = {"metadata": -1.0, "wrapped": 1.0, "row": 0.97}
    assert best_layout(means, SIGNED) == "wrapped"
    assert best_layout({"metadata": 0.95, "wrapped": 1.0}, SIGNED) == "metadata"
    told = warning(means, SIGNED)
    assert told is not None
    assert "-1.00" in told[0]


def series(first: float, last: float, steps: int = 60) -> list[dict[str, float]]:
    rise = (last - first) / steps
    return [{"step": step, "total_steps": steps, "critic_rewards_mean": first + rise * step} for step in range(steps)]


def test_a_training_that_rises_from_below_0_stands_on_no_plateau() -> None:
    assert new_findings(series(-0.6, 0.6), (), rewards=SIGNED) == []
    (finding,) = new_findings(series(-0.95, -0.94), (), rewards=SIGNED)
    assert (finding.name, "stays below -0.7" in finding.evidence) == ("reward_plateau", True)
    (finding,) = new_findings(series(0.1, 0.12), (), rewards=SIGNED)
    assert "of the way to 1" in finding.evidence


def tally(base: list[float | None], tuned: list[float | None]) -> Tally:
    counted = Tally(rows=len(base), rewards=SIGNED)
    for candidate, rewards in ((BASE, base), (TUNED, tuned)):
        for row, reward in enumerate(rewards):
            why = None if reward is not None else "not graded"
            counted.add(Answer(row, 0, candidate, "", "x", reward=reward, ungraded=why))
    return counted


def test_intervals_reach_as_far_as_the_range_and_no_further() -> None:
    comparison = compare(tally([-1.0] * 4, [1.0] * 4), BASE, TUNED, level=0.05)
    assert comparison is not None
    assert (comparison.first_reward.low, comparison.second_reward.high) == (-1.0, 1.0)
    narrow = mean_with_interval([1.0] * 4, level=0.05)
    assert 1.0 - comparison.second_reward.low == pytest.approx(2 * (narrow.mean - narrow.low))


def test_rows_left_out_count_as_the_ends_of_the_range_at_worst_and_at_best() -> None:
    comparison = compare(tally([-1.0, 0.5, None], [1.0, None, None]), BASE, TUNED, level=0.05)
    assert comparison is not None
    assert comparison.worst_case == pytest.approx((2.0 + (-1.0 - 0.5) + (-1.0 - 1.0)) / 3)
    assert comparison.best_case == pytest.approx((2.0 + (1.0 - 0.5) + (1.0 + 1.0)) / 3)


def test_the_bins_of_the_rewards_cover_the_range() -> None:
    bins = tally([-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]).candidates[BASE].reward_bins
    assert [place for place, count in enumerate(bins) if count] == [0, REWARD_BINS // 2, REWARD_BINS - 1]
