"""Improved, tied, regressed; and when a rise of the reward is not believed."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.unit.evaluation.paired_answers import a_tally, an_answer
from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.tally import Tally
from tunedrop.evaluation.verdict import Rules, evaluate, notice_figures
from tunedrop.outcomes import EvaluationIncomplete


def verdict(tally: Tally, **rules: float) -> str:
    return str(evaluate(tally, {}, Rules(**rules))["verdict"])


def test_more_right_answers_than_chance_gives_is_improved_and_the_reverse_regressed() -> None:
    worse, better = [1.0] * 50 + [0.0] * 50, [1.0] * 80 + [0.0] * 20
    assert verdict(a_tally(worse, better)) == "improved"
    assert verdict(a_tally(better, worse)) == "regressed"


def test_two_models_that_are_the_same_are_tied() -> None:
    rewards = [1.0, 0.0] * 150
    assert verdict(a_tally(rewards, rewards)) == "tied"


def test_few_better_rows_are_chance_even_where_the_bootstrap_would_say_otherwise() -> None:
    base = [0.0] * 5 + [1.0] * 295
    assert evaluate(a_tally(base, [1.0] * 300), {}, Rules())["comparison"]["reward"]["low"] > 0
    assert verdict(a_tally(base, [1.0] * 300)) == "tied"
    assert verdict(a_tally([0.0] * 6 + [1.0] * 294, [1.0] * 300)) == "improved"


def test_a_difference_that_is_of_no_use_is_tied_and_says_so() -> None:
    tally = a_tally([0.50] * 200 + [0.4], [0.52] * 200 + [0.4])
    assert verdict(tally) == "improved"
    result = evaluate(tally, {}, Rules(least_difference=0.05))
    assert result["verdict"] == "tied"
    assert "least useful difference" in result["sentence"]


@pytest.mark.prove
@pytest.mark.parametrize(("rows", "draws"), [(100, 400), (300, 400)])
def test_without_a_difference_it_says_improved_no_more_often_than_half_its_level(rows: int, draws: int) -> None:
    """Two-sided level 0.1, so 5% to either side; with three standard errors of room."""
    chance = random.Random(rows)

    def draw() -> list[float]:
        return [float(chance.random() < 0.6) for _ in range(rows)]

    improved = sum(verdict(a_tally(draw(), draw()), level=0.1) == "improved" for _ in range(draws))
    assert improved <= draws * 0.05 + 3 * (draws * 0.05 * 0.95) ** 0.5


def hedging_tally(correct: bool) -> tuple[Tally, dict[str, Profile]]:
    """A tuned model whose reward rose because it names several answers, right by the grader or not."""
    tally, profiles = Tally(rows=100), {BASE: Profile(), TUNED: Profile()}
    for row in range(100):
        base = an_answer(row, BASE, float(row < 50))
        tuned = replace(an_answer(row, TUNED, 1.0), answer="#### 4\n#### 5\n#### 6", correct=correct)
        for answer in (base, tuned):
            tally.add(answer)
            profiles[answer.candidate].add(answer)
    return tally, profiles


def test_a_policy_that_learned_to_hedge_is_suspected_and_not_improved() -> None:
    result = evaluate(*hedging_tally(correct=True), Rules())
    assert result["verdict_by_rewards"] == "improved"
    assert result["verdict"] == "tied"
    assert result["suspected_reward_hacking"] is True
    assert any("several different final answers" in reason for reason in result["reasons"])
    assert "suspected reward hacking" in result["sentence"]


def test_a_higher_reward_with_fewer_right_answers_is_regressed() -> None:
    result = evaluate(*hedging_tally(correct=False), Rules())
    assert result["verdict"] == "regressed"
    assert result["suspected_reward_hacking"] is True
    assert "right answers fell by 50.0%" in result["reasons"][0]


def test_a_habit_without_a_rise_of_the_reward_is_a_finding_but_no_suspicion() -> None:
    tally, profiles = Tally(rows=100), {BASE: Profile(), TUNED: Profile()}
    for row in range(100):
        for candidate, text in ((BASE, "#### 4"), (TUNED, "#### 4\n#### 5\n#### 6")):
            answer = replace(an_answer(row, candidate, float(row % 2)), answer=text)
            tally.add(answer)
            profiles[candidate].add(answer)
    result = evaluate(tally, profiles, Rules())
    assert result["verdict"] == "tied"
    assert result["suspected_reward_hacking"] is False
    assert "hedging" in [finding["rule"] for finding in result["guard_rails"] if finding["broken"]]


def test_too_many_ungraded_rows_give_no_verdict_but_the_reasons_and_what_to_do() -> None:
    tally = a_tally([None] * 30 + [1.0] * 70, [0.0] * 100)
    with pytest.raises(EvaluationIncomplete, match="30 of 100 test rows") as incomplete:
        evaluate(tally, {}, Rules(most_ungraded=0.2))
    assert "base: 30 answers 'grader_error'; tuned: all graded" in str(incomplete.value)
    assert "gates.most_ungraded" in str(incomplete.value)
    assert evaluate(tally, {}, Rules(most_ungraded=0.3))["verdict"] == "regressed"


def test_a_model_that_answered_nothing_gives_no_verdict() -> None:
    tally = Tally(rows=1)
    tally.add(an_answer(0, BASE, 1.0))
    with pytest.raises(EvaluationIncomplete, match="tuned: no answer at all"):
        evaluate(tally, {}, Rules(most_ungraded=1.0))


def test_the_notice_gets_figures_of_the_same_pairs() -> None:
    result = evaluate(a_tally([0.0] * 40 + [None] * 10, [1.0] * 45 + [0.0] * 5), {}, Rules())
    figures = notice_figures(result)
    assert figures["rows"] == 40
    assert figures["rows_left_out"] == 10
    assert figures["tuned"]["mean_reward"] - figures["base"]["mean_reward"] == pytest.approx(figures["difference"])
    assert figures["ci_low"] < figures["difference"] <= figures["ci_high"]
    assert figures["verdict"] == "improved"


def test_reference_models_are_set_beside_the_tuned_one() -> None:
    tally = a_tally([0.0] * 50, [1.0] * 50)
    for row in range(50):
        tally.add(an_answer(row, "reference:large", 1.0))
    result = evaluate(tally, {}, Rules(), models={"reference:large": "openai.gpt-oss-120b"})
    assert [each["first"] for each in result["other_comparisons"]] == ["reference:large"]
    assert result["candidates"]["reference:large"]["model"] == "openai.gpt-oss-120b"
