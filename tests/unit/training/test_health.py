"""Findings on hand-made series after the published curves, and on many simulated trainings."""

from __future__ import annotations

import pytest

from tests.unit.local_bedrock.graders_on_text import constant, pays_for_length, strict
from tests.unit.local_bedrock.simulated_trainings import trained
from tests.unit.training.training_series import SICK, STEPS, Series, series
from tunedrop.training.health import ERRORS_LEAST, Gradings, HealthFinding, new_findings


def names(found: list[HealthFinding]) -> set[str]:
    return {each.name for each in found}


@pytest.mark.parametrize("steps", [67, pytest.param(400, marks=pytest.mark.prove)])
def test_the_published_curves_raise_no_alarm(steps: int) -> None:
    alarms = [seed for seed in range(100) if new_findings(series(steps=steps, seed=seed), ())]
    assert len(alarms) < 5, alarms


@pytest.mark.parametrize("name", SICK)
def test_each_sickness_is_found_by_its_name_alone_with_its_figures_and_advice(name: str) -> None:
    (finding,) = new_findings(SICK[name], ())
    assert finding.name == name
    assert any(digit in finding.evidence for digit in "0123456789")
    assert len(finding.advice) > 40
    assert finding.step <= STEPS


def test_a_reward_that_stays_near_zero_is_found_before_one_in_the_middle() -> None:
    (low,) = new_findings(series(reward=lambda t: 0.03), ())
    (middle,) = new_findings(series(reward=lambda t: 0.45), ())
    assert low.name == middle.name == "reward_plateau"
    assert low.step < middle.step


def test_groups_that_all_agree_are_found_unless_all_is_solved() -> None:
    def equal(reward: float) -> Series:
        flat = {"critic_advantages_mean": 0.0, "actor_pg_loss": 0.0, "critic_rewards_mean": reward}
        return [{**each, **flat} for each in series(steps=30)]

    assert "all_equal_groups" in names(new_findings(equal(0.5), ()))
    assert new_findings(equal(0.97), ()) == []


def test_a_few_errors_of_the_grader_are_none_to_speak_of_and_many_are() -> None:
    assert new_findings([], (), Gradings(answers=1000, errors=ERRORS_LEAST - 1)) == []
    assert new_findings([], (), Gradings(answers=100_000, errors=1000)) == []
    (finding,) = new_findings([], (), Gradings(answers=1000, errors=100))
    assert finding.name == "grader_errors"
    assert "100 of 1000" in finding.evidence


def test_what_is_known_is_not_found_again() -> None:
    assert new_findings(SICK["verbosity"], ["verbosity"]) == []


def test_a_late_look_finds_what_an_early_one_would_have_found() -> None:
    told = SICK["exploding_gradients"]
    late = new_findings(told, ())
    known: list[HealthFinding] = []
    for end in range(len(told) + 1):
        known += new_findings(told[:end], [each.name for each in known])
    assert known == late


def test_nothing_is_judged_by_what_the_service_does_not_tell() -> None:
    assert new_findings([], ()) == []
    assert new_findings([{"step": float(step)} for step in range(1, 80)], ()) == []


# ------------------------------------------------------------------------------------------- simulated trainings


def told(score: object, seed: int) -> Series:
    """A training of the local Bedrock's policy, as its events would tell it."""
    return [
        {
            "step": float(number),
            "critic_rewards_mean": each.rewards_mean,
            "critic_advantages_mean": each.advantages_mean,
            "actor_pg_loss": each.policy_loss,
            "actor_entropy": each.entropy,
            "actor_grad_norm": each.gradient_norm,
            "response_length_mean": each.response_length_mean,
        }
        for number, each in enumerate(trained(score, seed).measures, start=1)
    ]


@pytest.mark.prove
def test_of_fifty_healthy_trainings_fewer_than_one_in_twenty_raises_an_alarm() -> None:
    seeds = 50
    alarms = [seed for seed in range(seeds) if new_findings(told(strict, seed), ())]
    print(f"false alarms on {seeds} healthy simulated trainings: {len(alarms)}")  # noqa: T201 - the measure
    assert len(alarms) / seeds < 0.05, alarms


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (pays_for_length, "verbosity"),
        (constant, "all_equal_groups"),
        pytest.param("random", "reward_plateau", marks=pytest.mark.prove),
    ],
)
def test_a_grader_that_teaches_the_wrong_thing_is_found_out_by_its_training(score: object, name: str) -> None:
    for seed in range(2):
        assert name in names(new_findings(told(score, seed), ()))
