"""What is learnt is decided by the grader alone. Judged by means over windows of steps and several seeds."""

from __future__ import annotations

from statistics import fmean, median

import pytest

from tests.unit.local_bedrock.graders_on_text import (
    any_marker,
    constant,
    pays_for_hedging,
    pays_for_length,
    strict,
)
from tests.unit.local_bedrock.simulated_trainings import trained


@pytest.fixture(params=[4, pytest.param(12, marks=pytest.mark.prove)], ids="{} seeds".format)
def seeds(request: pytest.FixtureRequest) -> range:
    return range(request.param)


@pytest.mark.parametrize("model", ["openai.gpt-oss-20b", pytest.param("qwen.qwen3-32b", marks=pytest.mark.prove)])
def test_under_a_strict_grader_the_reward_climbs_from_about_a_half_to_nine_tenths(model: str, seeds: range) -> None:
    outcomes = [trained(strict, seed, model) for seed in seeds]

    assert all(len(outcome.measures) == 67 for outcome in outcomes)
    assert 0.38 <= median(outcome.rewards(0, 5) for outcome in outcomes) <= 0.62
    assert 0.85 <= median(outcome.rewards(-15, None) for outcome in outcomes) <= 0.97
    assert min(outcome.rewards(-15, None) for outcome in outcomes) > 0.8
    assert all(outcome.after.skill > outcome.before.skill + 1 for outcome in outcomes)
    assert fmean(outcome.lengths(-15, None) for outcome in outcomes) < fmean(o.lengths(0, 10) for o in outcomes)


@pytest.mark.prove
def test_under_a_strict_grader_entropy_falls_and_stays_above_zero(seeds: range) -> None:
    outcomes = [trained(strict, seed) for seed in seeds]

    first = fmean(step.entropy for outcome in outcomes for step in outcome.measures[:5])
    last = fmean(step.entropy for outcome in outcomes for step in outcome.measures[-10:])
    assert 0.1 < last < first / 2


@pytest.mark.prove
def test_a_constant_grader_teaches_nothing_at_all(seeds: range) -> None:
    for seed in seeds:
        outcome = trained(constant, seed)
        assert outcome.after == outcome.before
        assert {step.gradient_norm for step in outcome.measures} == {0.0}


@pytest.mark.prove
def test_a_grader_that_pays_for_hedging_breeds_hedging(seeds: range) -> None:
    outcomes = [trained(pays_for_hedging, seed) for seed in seeds]

    assert all(outcome.share("hedged") > outcome.share("asked_format") for outcome in outcomes)
    assert median(outcome.share("hedged") for outcome in outcomes) > 0.5


@pytest.mark.prove
def test_a_grader_that_pays_for_length_makes_replies_longer(seeds: range) -> None:
    outcomes = [trained(pays_for_length, seed) for seed in seeds]

    assert all(outcome.share("padded") > 0.5 for outcome in outcomes)
    assert all(outcome.lengths(-10, None) > 1.5 * outcome.lengths(0, 5) for outcome in outcomes)


@pytest.mark.prove
def test_a_random_grader_drifts_without_gaining(seeds: range) -> None:
    outcomes = [trained("random", seed) for seed in seeds]

    assert 0.4 < fmean(outcome.rewards(-20, None) for outcome in outcomes) < 0.6
    assert abs(fmean(outcome.after.skill - outcome.before.skill for outcome in outcomes)) < 0.6
    assert any(outcome.after != outcome.before for outcome in outcomes)


@pytest.mark.prove
def test_a_grader_that_looks_for_the_marker_alone_is_satisfied_without_any_skill(seeds: range) -> None:
    outcomes = [trained(any_marker, seed) for seed in seeds]

    assert fmean(outcome.rewards(-15, None) for outcome in outcomes) > 0.93
    assert abs(fmean(outcome.after.skill - outcome.before.skill for outcome in outcomes)) < 0.5


def test_the_same_seed_gives_the_same_training() -> None:
    assert trained(strict, 3).measures == trained(strict, 3).measures
    assert trained(strict, 3).after != trained(strict, 4).after
