"""Whose a run is, by a caller's ARN and by a dropped dataset's name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.teams import DEFAULT, ApprovalRule, Team, Teams, TeamsInvalid, principal_arn

ROLE = "arn:aws:iam::123456789012:role/"
TEAMS = Teams.parse(
    json.dumps(
        {
            "red": {"callers": [f"{ROLE}red-*", "arn:aws:iam::123456789012:user/ann"], "names": ["red-", "r"]},
            "blue": {"callers": [f"{ROLE}blue", f"{ROLE}red-and-blue"], "names": ["red-but-blue-"]},
        }
    )
)


@pytest.mark.parametrize(
    ("arn", "team"),
    [
        (f"{ROLE}red-pipeline", "red"),
        ("arn:aws:sts::123456789012:assumed-role/red-pipeline/any session", "red"),
        ("arn:aws:iam::123456789012:user/ann", "red"),
        (f"{ROLE}blue", "blue"),
        (f"{ROLE}red-and-blue", "red"),  # the first team that knows the caller
        (f"{ROLE}blue-", None),
        (f"{ROLE}Blue", None),
        ("arn:aws:sts::123456789012:assumed-role/nobody/red-pipeline", None),  # a session's name is its holder's choice
        ("arn:aws:sts::999999999999:assumed-role/blue/session", None),
        ("", None),
    ],
)
def test_a_caller_s_team_follows_from_the_role_not_from_the_caller_s_choice(arn: str, team: str | None) -> None:
    found = TEAMS.of_caller(arn)
    assert (found.name if found else None) == team


@pytest.mark.parametrize(
    ("name", "team"), [("red-sums", "red"), ("red-but-blue-sums", "blue"), ("rum", "red"), ("sums", None), ("", None)]
)
def test_the_longest_prefix_of_a_name_decides(name: str, team: str | None) -> None:
    assert TEAMS.of_dataset_name(name) == team


@given(st.text(max_size=60), st.text(max_size=60))
def test_without_a_mapping_everyone_and_everything_is_one_team_s(arn: str, name: str) -> None:
    teams = Teams.parse("{}")
    found = teams.of_caller(arn)
    # A line break is in no ARN; what is none belongs to nobody.
    assert (found.name if found else None) == (DEFAULT if "\n" not in principal_arn(arn) else None)
    assert teams.of_dataset_name(name) == DEFAULT


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "expected JSON"),
        ("[]", "expected an object of teams, got list"),
        ('{"Red": {}}', "got 'Red'"),
        ('{"a/b": {}}', "got 'a/b'"),
        ('{"red": {"caller": []}}', "red: expected an object with approval, approvers, callers, datasets, names"),
        ('{"red": {"callers": "*"}}', "red.callers: expected a list of texts"),
        ('{"red": {"datasets": ["data/"]}}', "red.datasets: expected s3://bucket/prefix, got 'data/'"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(TeamsInvalid, match="Teams: ") as refused:
        Teams.parse(text)
    assert says in str(refused.value)


def with_approval(approval: object, approvers: object = (f"{ROLE}red-lead",)) -> Team | None:
    return Teams.parse(json.dumps({"red": {"approvers": approvers, "approval": approval}})).called("red")


@pytest.mark.parametrize(
    ("approval", "rule"),
    [
        ("always", None),
        ({"below": 0.05, "guard_rails": True}, ApprovalRule(0.05, True)),
        ({"below": 1}, ApprovalRule(1.0, False)),
        ({"guard_rails": True}, ApprovalRule(0.0, True)),
    ],
)
def test_a_team_says_when_an_approver_is_asked(approval: object, rule: ApprovalRule | None) -> None:
    team = with_approval(approval)
    assert team is not None
    assert team.approval == rule


@pytest.mark.parametrize(
    ("approval", "says"),
    [
        ("never", "red.approval: expected \"always\" or an object with below, guard_rails or both, got 'never'"),
        (None, "red.approval: expected"),
        ({}, "red.approval: expected"),
        ({"above": 0.1}, "got {'above': 0.1}"),
        ({"below": 0}, "red.approval.below: expected a share of the grader's range of rewards, above 0"),
        ({"below": -0.1}, "red.approval.below: "),
        ({"below": 5}, "red.approval.below: "),
        ({"below": True}, "red.approval.below: "),
        ({"below": None, "guard_rails": True}, "red.approval.below: "),
        ({"below": "0.05"}, "red.approval.below: "),
        ({"below": float("nan")}, "red.approval.below: "),
        ({"below": 10**400}, "red.approval.below: "),
        ({"guard_rails": 1}, "red.approval.guard_rails: expected true or false, got 1"),
        ({"guard_rails": False}, "which never asks"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_place(approval: object, says: str) -> None:
    with pytest.raises(TeamsInvalid, match="Teams: red") as refused:
        with_approval(approval)
    assert says in str(refused.value)


def test_a_rule_without_anybody_who_is_asked_is_refused() -> None:
    with pytest.raises(TeamsInvalid, match="red.approval: expected only beside red.approvers"):
        with_approval("always", approvers=[])
