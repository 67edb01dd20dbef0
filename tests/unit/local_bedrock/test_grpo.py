"""The arithmetic of one update."""

from __future__ import annotations

import math

import pytest

from local.bedrock.catalog import BASE_MODELS
from local.bedrock.grpo import Rollout, advantages, update
from local.bedrock.policy import BEHAVIOURS, Behaviour, Policy, difficulty

POLICY = BASE_MODELS[0].policy


def test_advantages_are_distances_from_the_groups_mean_in_standard_deviations() -> None:
    assert advantages([1.0, 0.0, 0.0, 0.0]) == pytest.approx([math.sqrt(3), *[-1 / math.sqrt(3)] * 3], rel=1e-3)
    assert sum(advantages([0.2, 0.9, 0.4, 0.4])) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("reward", [0.0, 0.1, 1.0, -3.5])
def test_a_group_with_equal_rewards_has_no_advantages(reward: float) -> None:
    assert advantages([reward] * 8) == [0.0] * 8


@pytest.mark.parametrize(
    ("behaviour", "right"),
    [
        (behaviour, right)
        for behaviour in BEHAVIOURS
        for right in (True, False)
        if (behaviour, right) != ("empty", True)
    ],
)
def test_the_score_is_the_slope_of_the_log_probability(behaviour: Behaviour, right: bool) -> None:
    hardness, step = 0.7, 1e-6
    for index, slope in enumerate(POLICY.score(behaviour, right, hardness)):
        by = [0.0] * 7
        by[index] = step
        above = math.log(POLICY.moved(by).probability(behaviour, right, hardness))
        by[index] = -step
        below = math.log(POLICY.moved(by).probability(behaviour, right, hardness))
        assert slope == pytest.approx((above - below) / (2 * step), abs=1e-5)


def test_what_is_rewarded_becomes_more_likely_and_what_is_not_less() -> None:
    group = [Rollout(Behaviour.ASKED_FORMAT, True, 0.0, 50, 1.0)] * 4 + [
        Rollout(Behaviour.HEDGED, True, 0.0, 60, 0.0)
    ] * 4

    after, measures = update(POLICY, POLICY, [group], step=5)

    assert after.probability(Behaviour.ASKED_FORMAT, True, 0.0) > POLICY.probability(Behaviour.ASKED_FORMAT, True, 0.0)
    assert after.probability(Behaviour.HEDGED, True, 0.0) < POLICY.probability(Behaviour.HEDGED, True, 0.0)
    assert measures.rewards_mean == 0.5
    assert measures.response_length_mean == 55.0
    assert measures.gradient_norm > 0
    assert measures.entropy == pytest.approx(POLICY.entropy(0.0))
    # The rewarded replies are shorter, so over tokens the mean of the advantages is below zero: (50 - 60) / 110.
    assert measures.advantages_mean == pytest.approx(-10 / 110, rel=1e-3)


def test_the_first_steps_are_smaller_and_the_multiplier_scales_them() -> None:
    group = [Rollout(Behaviour.ASKED_FORMAT, True, 0.0, 50, 1.0)] * 4 + [
        Rollout(Behaviour.EMPTY, False, 0.0, 0, 0.0)
    ] * 4

    def moved(*, step: int, rate: float) -> float:
        return math.dist(update(POLICY, POLICY, [group], step=step, rate=rate)[0].logits, POLICY.logits)

    assert moved(step=1, rate=1.0) < moved(step=5, rate=1.0)
    assert moved(step=5, rate=0.1) < moved(step=5, rate=1.0) / 4
    assert moved(step=5, rate=1.0) == moved(step=50, rate=1.0)


def test_the_penalty_pulls_a_policy_that_went_astray_back_where_rewards_say_nothing() -> None:
    astray = POLICY.moved([0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    group = [Rollout(Behaviour.HEDGED, True, 0.0, 60, 1.0)] * 8

    after, _ = update(astray, POLICY, [group], step=5)

    assert after.shares[3] < astray.shares[3]


def test_no_rollouts_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs rollouts"):
        update(POLICY, POLICY, [], step=1)


def test_a_policy_survives_json_and_its_behaviours_are_drawn_with_their_shares() -> None:
    assert Policy.from_json(POLICY.to_json()) == POLICY
    drawn = [POLICY.behaviour_at(position / 10_000) for position in range(10_000)]
    for behaviour, share in zip(BEHAVIOURS, POLICY.shares, strict=True):
        assert drawn.count(behaviour) / 10_000 == pytest.approx(share, abs=2e-4)


def test_starting_shares_must_be_shares() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        Policy.starting((0.5, 0.5, 0.1, 0.1, 0.1, 0.1), 1.0)


def test_difficulty_is_spread_around_medium_and_bounded() -> None:
    hard = [difficulty(f"prompt {number}") for number in range(2000)]
    assert max(map(abs, hard)) <= 1.2 * math.log(49) + 1e-9
    assert abs(sum(hard) / len(hard)) < 0.2
