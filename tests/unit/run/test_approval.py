"""When a person is asked about a promotion, and what a dropper's recipe cannot change about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from pydantic import ValidationError

from tests.unit.evaluation.paired_answers import a_tally
from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.guard_rails import Profile
from tunedrop.evaluation.verdict import Rules, evaluate
from tunedrop.outcomes import RecipeInvalid, Status
from tunedrop.recipe import Promotion, Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.run.approval import Approval, approval_of, decided
from tunedrop.run.promotion import NoApprovalWanted, decide, deserved
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import EvaluationResult
from tunedrop.teams import ApprovalRule

PLACE = "/tunedrop/dev/red/model"
RULE = ApprovalRule(below=0.05, guard_rails=True)


def a_run(rule: ApprovalRule | None = RULE, *, governed: bool = True, **recipe: Any) -> RunRecord:
    """A run of red; the recipe as ResolveInputs leaves it: `always` is a rule of None, which sets `approval`."""
    asks = recipe.pop("approval", False) or (governed and rule is None)
    written = Recipe(model="openai.gpt-oss-20b", promotion=Promotion(parameter=PLACE, approval=asks), **recipe)
    return RunRecord(
        run_id="red-1",
        name="red-1",
        team="red",
        execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
        status=Status.RUNNING,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        recipe_document=written.model_dump(mode="json"),
        governed="yes" if governed else None,
        approval_rule=None if rule is None or not governed else asdict(rule),
    )


def measured(better: int = 60, worse: int = 0, rows: int = 200, *, hedged: int = 0, level: float = 0.05) -> Any:
    """The evaluation of a model that is right in `better` more rows and wrong in `worse` others, of some 200."""
    base = [0.0] * better + [1.0] * (rows - better)
    tuned = [1.0] * (rows - worse) + [0.0] * worse
    profiles = {BASE: Profile(), TUNED: Profile()}
    for row in range(rows):
        profiles[BASE].add(Answer(row, 0, BASE, "", "#### 12", reward=base[row]))
        said = "#### 12 or 13" if row < hedged else "#### 12"
        profiles[TUNED].add(Answer(row, 0, TUNED, "", said, reward=tuned[row]))
    return evaluate(a_tally(base, tuned), profiles, Rules(level=level))


CLEAR, NARROW = measured(60), measured(20)


def asks(record: RunRecord, result: Mapping[str, Any]) -> str:
    """Why a person is asked; "" if nobody is."""
    approval = decided(record, result)
    assert approval is not None
    assert approval.why
    return approval.why if approval.asked else ""


def test_a_clear_improvement_without_a_moved_guard_rail_asks_nobody_and_says_why() -> None:
    assert decided(a_run(), CLEAR) == Approval(
        False,
        f"the lower end of the difference's interval is {CLEAR['comparison']['reward']['low']:+.3f} of the range of "
        "rewards, at least 0.05, and no guard rail moved",
    )


def test_an_improvement_that_may_be_below_the_figure_asks_a_person() -> None:
    reward = NARROW["comparison"]["reward"]
    assert reward["low"] < 0.08 < reward["difference"], "the difference alone would pass"
    why = asks(a_run(ApprovalRule(below=0.08)), NARROW)
    assert (
        why == f"the lower end of the difference's interval is {reward['low']:+.3f} of the range of rewards, below 0.08"
    )
    assert asks(a_run(ApprovalRule(below=0.05)), CLEAR) == ""


def test_a_small_test_set_of_large_differences_asks_a_person() -> None:
    small = measured(better=7, rows=20)
    assert small["comparison"]["reward"]["difference"] > CLEAR["comparison"]["reward"]["difference"]
    assert "below 0.2" in asks(a_run(ApprovalRule(below=0.2)), small)
    assert asks(a_run(ApprovalRule(below=0.2)), CLEAR) == ""


def test_the_figure_is_a_share_of_the_range_so_that_large_rewards_are_no_larger() -> None:
    stretched = {**NARROW, "reward_range": [0, 100]}
    assert "below 0.05" in asks(a_run(), stretched)
    bounds = NARROW["comparison"]["reward"]["low"] * 100
    compared = {**NARROW["comparison"], "reward": {**NARROW["comparison"]["reward"], "low": bounds}}
    assert asks(a_run(ApprovalRule(below=0.05)), {**stretched, "comparison": compared}) == ""


def test_a_guard_rail_that_moved_asks_a_person_and_is_named() -> None:
    moved = measured(60, hedged=9)
    assert moved["guard_rails_moved"], "else this shows nothing"
    assert not any(each["broken"] for each in moved["guard_rails"])
    assert "name several different final answers" in asks(a_run(), moved)
    assert asks(a_run(ApprovalRule(below=0.05)), moved) == "", "who did not ask for guard rails is not asked"


def test_fewer_right_answers_ask_a_person_though_chance_can_explain_them() -> None:
    fallen = {**CLEAR, "comparison": {**CLEAR["comparison"], "accuracy": {"difference": -0.01}}}
    assert asks(a_run(), fallen) == "the share of right answers fell by 1.0%, which chance can explain"
    assert asks(a_run(ApprovalRule(below=0.05)), fallen) == ""


@pytest.mark.parametrize(
    "gates",
    [
        {"level": 0.3},
        {"most_ungraded": 0.9},
        {"most_grader_errors": 0.5},
        {"most_unstable": 0.2},
        {"cheat_margin": 1.0},
        {"least_reference": 0.1},
    ],
)
def test_a_recipe_that_loosens_a_gate_asks_a_person(gates: dict[str, float]) -> None:
    ((name, value),) = gates.items()
    assert f"the recipe loosens `gates.{name}` to {value:g}" in asks(a_run(gates=gates), CLEAR)


def test_a_level_that_narrows_the_interval_does_not_pass_the_figure() -> None:
    low = [measured(20, level=level)["comparison"]["reward"]["low"] for level in (0.05, 0.49)]
    below = sum(low) / 2
    assert low[0] < below < low[1], "the interval is narrower by this level"
    assert asks(a_run(ApprovalRule(below=below), gates={"level": 0.49}), measured(20, level=0.49))


@pytest.mark.parametrize(
    "gates", [{"level": 0.01}, {"least_difference": 0.5}, {"least_difference": 0.0}, {"most_ungraded": 0.1}]
)
def test_a_stricter_gate_or_another_least_difference_changes_nothing(gates: dict[str, float]) -> None:  # fmt: skip
    assert asks(a_run(gates=gates), CLEAR) == ""
    assert "below 0.08" in asks(a_run(ApprovalRule(below=0.08), gates=gates), NARROW)


@pytest.mark.parametrize("again", [{"evaluate_only": "ft-1"}, {"resumes": "red-0"}])
def test_a_model_of_an_earlier_run_asks_a_person_however_good_it_is(again: dict[str, Any]) -> None:
    assert "can be repeated until it passes" in asks(a_run(**again), CLEAR)


def test_the_recipe_adds_a_person_and_takes_none_away() -> None:
    assert asks(a_run(approval=True), CLEAR) == "the recipe asks for it (`promotion.approval`)"
    assert asks(a_run(ApprovalRule(below=0.08), approval=False), NARROW)
    assert asks(a_run(None, approval=False), CLEAR) == "team red has an approver asked about each promotion"
    assert asks(a_run(None, governed=False, approval=True), CLEAR) == "the recipe asks for it (`promotion.approval`)"
    assert asks(a_run(None, governed=False), CLEAR) == ""


@pytest.mark.parametrize(
    "field",
    ["below", "guard_rails", "approvers", "asked", "governed", "rule", "why", "difference", "decided_by", "always"],
)
def test_a_recipe_has_no_field_for_the_team_s_rule(field: str) -> None:
    with pytest.raises(RecipeInvalid, match=field):
        resolve({"promotion": {"parameter": PLACE, field: 0}}, "us-west-2", parameter_path="/tunedrop/dev/red")


@pytest.mark.parametrize("approval", ["never", "no one", {"below": 1}, None, 2])
def test_approval_of_a_recipe_is_yes_or_no(approval: object) -> None:
    with pytest.raises(ValidationError):
        Promotion.model_validate({"parameter": PLACE, "approval": approval})


def test_a_figure_that_is_no_number_asks_a_person() -> None:
    reward = {**CLEAR["comparison"]["reward"], "low": float("nan")}
    assert asks(a_run(), {**CLEAR, "comparison": {**CLEAR["comparison"], "reward": reward}})


def test_what_was_decided_is_read_from_the_record_and_not_decided_again() -> None:
    run = a_run()
    for approval in (Approval(True, "a"), Approval(False, "b")):
        assert approval_of(replace(run, approval_asked=approval.to_attribute())) == approval
    before = approval_of(replace(a_run(None), approval_asked=None))
    assert before is not None
    assert before.asked, "a run that an earlier version concluded waits as its recipe says"
    assert approval_of(replace(run, recipe_document=Recipe(model="openai.gpt-oss-20b").model_dump(mode="json"))) is None


@pytest.mark.parametrize(
    ("code", "outcome"), [("TaskTimedOut", NoApprovalWanted), ("ThrottlingException", ClientError)]
)
def test_a_word_that_comes_too_late_is_refused_and_a_throttled_one_is_not(code: str, outcome: type[Exception]) -> None:
    client = boto3.client("stepfunctions", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
    waits = replace(a_run(), approval_token="token")
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", code)
        with pytest.raises(outcome):
            decide(waits, client, approved=True, by="arn:aws:iam::123456789012:user/ann")


def test_a_run_that_failed_or_is_suspected_says_why_it_promoted_nothing() -> None:
    improved = EvaluationResult({"verdict": "improved", "suspected_reward_hacking": False})
    hacked = EvaluationResult({"verdict": "improved", "suspected_reward_hacking": True})
    assert deserved(replace(a_run(), evaluation=improved), Status.SUCCEEDED)
    assert not deserved(replace(a_run(), evaluation=improved), Status.FAILED)
    assert not deserved(replace(a_run(), evaluation=hacked), Status.SUCCEEDED)
