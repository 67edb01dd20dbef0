"""What a run's figures suggest: each rule on figures that call for it, and none on a run without anything to say."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.reporting.sample_run import a_rejected_run, a_run
from tunedrop.reporting.advice import MOST_ADVICE, advise
from tunedrop.reporting.report import build_report

GOOD = build_report(a_run(220))
Change = Callable[[dict[str, Any]], object]


def changed(*changes: Change) -> list[dict[str, str]]:
    """The advice on a run that went well, had it been as the changes say."""
    report = copy.deepcopy(GOOD)
    report["training"]["health"] = []
    report["evaluation"]["comparison"]["accuracy"]["second"]["mean"] = 0.93
    for change in changes:
        change(report)
    return advise(report)


def at(*path: str, **values: Any) -> Change:
    """Sets fields of the part of the report that lies at this path."""

    def change(report: dict[str, Any]) -> None:
        part = report
        for name in path:
            part = part[name]
        part.update(values)

    return change


def rewards(*levels: float) -> Change:
    """A training whose reward has these levels, ten steps each."""
    steps = [{"step": step, "critic_rewards_mean": levels[step // 10]} for step in range(10 * len(levels))]
    return at("training", metrics=steps)


def health(rule: str) -> Change:
    return at("training", health=[{"rule": rule, "step": 41, "message": "It happened."}])


def parts(of: str, costs: dict[str, float]) -> Change:
    rows = [{"name": name, "candidates": {"tuned": {"cost": cost}}} for name, cost in costs.items()]
    return at("evaluation", parts={"of": of, "rows": rows, "confusion": {}})


def no_label(count: int) -> Change:
    matrix = {"right": ["a"], "given": ["a", "(none)"], "counts": [[100 - count, count]]}
    return at("evaluation", parts={"of": "labels", "rows": [], "confusion": {"tuned": matrix}})


def no_json(count: int) -> Change:
    figures = {"answers": count, "cost": count / 100}
    rows = [
        {"name": "(no JSON)", "candidates": {"tuned": figures}},
        {"name": "/a", "candidates": {"tuned": {"cost": 0.0}}},
    ]

    def change(report: dict[str, Any]) -> None:
        report["evaluation"]["candidates"]["tuned"] |= {"answers": 110, "ungraded": {"grader_timeout": 10}}
        report["evaluation"]["parts"] = {"of": "fields", "rows": rows, "confusion": {}}

    return change


def cut_off(count: int) -> Change:
    def change(report: dict[str, Any]) -> None:
        report["evaluation"]["candidates"]["tuned"]["truncated"] = count
        report["recipe"]["evaluation"] = {"max_tokens": 1_024}

    return change


def tied(difference: float) -> Change:
    def change(report: dict[str, Any]) -> None:
        report["evaluation"]["verdict"] = "tied"
        report["evaluation"]["comparison"]["accuracy"]["difference"] = difference

    return change


def checkpoint(low: float, high: float) -> Change:
    reward = {"difference": (low + high) / 2, "low": low, "high": high}
    return at("evaluation", other_comparisons=[{"first": "checkpoint:20", "pairs": 200, "reward": reward}])


def tokens(base: float | None, tuned: float) -> Change:
    def change(report: dict[str, Any]) -> None:
        for name, length in (("base", base), ("tuned", tuned)):
            report["evaluation"]["candidates"][name]["completion_tokens_an_answer"] = length

    return change


STEADY = rewards(0.5, 0.7, 0.8, 0.81)


@pytest.mark.parametrize(
    ("change", "rule", "told"),
    [
        (at("evaluation", suspected_reward_hacking=True, reasons=["It hedges."]), "stricter_grader", "It hedges."),
        (cut_off(5), "longer_answers", "evaluation.max_tokens 2,048"),
        (checkpoint(-0.1, -0.02), "this_checkpoint", "step 20"),
        (rewards(0.5, 0.8, 0.9, 0.7), "stop_earlier", "0.900"),
        (health("exploding_gradients"), "lower_learning_rate", "step 41"),
        (health("entropy_collapse"), "lower_learning_rate", "learning_rate_multiplier"),
        (parts("fields", {"/a": 0.1, "/b": 0.02}), "this_field", "/a"),
        (parts("labels", {"spam": 0.1, "fine": 0.02}), "this_label", "spam"),
        (parts("parts", {"fields": 0.1, "form": 0.02}), "this_part", "fields"),
        (no_label(6), "stricter_format", "6 of 100"),
        (no_json(6), "stricter_format", "6 of 100"),
        (rewards(0.5, 0.6, 0.7, 0.8), "train_longer", "n_epochs 2"),
        (health("reward_plateau"), "higher_learning_rate", "twice learning_rate_multiplier"),
        (at("rehearsal", groups_with_signal=0.3), "rows_of_middling_difficulty", "30%"),
        (at("evaluation", "comparison", "reward", "second", mean=0.97), "harder_prompts", "0.970"),
        (tied(0.05), "larger_test_set", "rows"),
        (tokens(100, 151), "shorter_answers", "151"),
        (at("evaluation", "comparison", "accuracy", "second", mean=0.7), "rows_like_those_that_fail", "300 rows"),
    ],
)
def test_figures_that_call_for_it_get_the_advice(change: Change, rule: str, told: str) -> None:
    found = [each for each in changed(STEADY, change) if each["rule"] == rule]
    assert len(found) == 1
    assert told in " ".join(found[0].values())
    assert found[0]["reason"]
    assert found[0]["figure"]


@pytest.mark.parametrize(
    "change",
    [
        cut_off(4),
        checkpoint(-0.1, 0.01),
        rewards(0.5, 0.8, 0.9, 0.86),
        parts("fields", {"/a": 0.019, "/b": 0.0}),
        parts("fields", {"/a": 0.3, "/b": 0.3, "/c": 0.3}),
        parts("fields", {"/a": 0.3}),
        no_label(4),
        no_json(4),
        rewards(0.5, 0.6, 0.7, 0.73),
        rewards(0.5, 0.6, 0.9, 0.96),
        at("rehearsal", groups_with_signal=0.5),
        tied(0.0),
        tied(0.0001),
        tokens(100, 149),
        tokens(None, 149),
        at(rehearsal=None, dataset=None),
    ],
)
def test_figures_below_the_threshold_get_none(change: Change) -> None:
    assert changed(STEADY, change) == []


def test_novas_hyperparameters_are_called_by_their_own_names() -> None:
    nova = at(base_model="amazon.nova-2-lite-v1:0:256k")
    assert "learningRate" in changed(STEADY, nova, health("entropy_collapse"))[0]["action"]
    assert "epochCount 2" in changed(nova, rewards(0.5, 0.6, 0.7, 0.8))[0]["action"]


def test_there_are_never_more_than_three_and_the_weightiest_come_first() -> None:
    found = changed(
        cut_off(20), checkpoint(-0.1, -0.02), rewards(0.5, 0.8, 0.9, 0.7), health("entropy_collapse"), tokens(1, 9)
    )
    assert [each["rule"] for each in found] == ["longer_answers", "this_checkpoint", "stop_earlier"]
    assert len(found) == MOST_ADVICE


def test_thresholds_are_shares_of_the_graders_own_range() -> None:
    wide = at("evaluation", reward_range=[0, 10])
    assert changed(wide, rewards(5, 6, 7, 7.3)) == []
    assert changed(wide, rewards(5, 6, 7, 8))[0]["rule"] == "train_longer"


def test_a_run_that_ended_early_is_advised_by_its_own_findings() -> None:
    report = build_report(a_rejected_run())
    assert [(each["rule"], each["action"]) for each in report["advice"]] == [
        ("field_missing", "Each line needs `messages`: a list of turns.")
    ]
    assert report["advice"][0]["figure"] == "train.jsonl line 3"
