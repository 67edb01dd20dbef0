"""Whom the resource policy of an API lets in: the policy of the template, as its parameters make it."""

from __future__ import annotations

from typing import Any

import pytest

from embedded_aws.gateway.caller_policy import decision
from embedded_aws.gateway.callers import Caller
from embedded_aws.permissions.conditions import ConditionUnknown
from embedded_aws.permissions.policy import statements

OWN, OTHER, STRANGE = "111111111111", "222222222222", "333333333333"
METHOD = f"arn:aws:execute-api:us-west-2:{OWN}:api/v1/GET/runs"


def caller(account: str, role: str = "ml") -> Caller:
    return Caller("AKIA", "secret", "token", f"arn:aws:sts::{account}:assumed-role/{role}/session", "AROA", account)


def policy(accounts: list[str], roles: list[str] | None = None) -> dict[str, Any]:
    def statement(effect: str, principal: Any, **more: Any) -> dict[str, Any]:
        invoke = {"Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
        return {"Effect": effect, "Principal": principal, **invoke, **more}

    statements = [
        statement("Allow", {"AWS": accounts}),
        statement("Deny", "*", Condition={"StringNotEquals": {"aws:PrincipalAccount": accounts}}),
    ]
    if roles:
        statements.append(statement("Deny", "*", Condition={"StringNotLike": {"aws:PrincipalArn": roles}}))
    return {"Version": "2012-10-17", "Statement": statements}


MAY_CALL = '{"Statement": {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}}'


def let_in(document: dict[str, Any] | None, who: Caller, own: str = MAY_CALL) -> bool:
    return decision(document, who, resource=METHOD, account=OWN, identity=statements(own, "own")).allowed


@pytest.mark.parametrize(("account", "expected"), [(OWN, True), (OTHER, True), (STRANGE, False)])
def test_only_the_accounts_that_are_named_are_let_in(account: str, expected: bool) -> None:
    assert let_in(policy([OWN, OTHER]), caller(account)) is expected


def test_the_own_account_is_kept_out_where_only_others_are_named() -> None:
    assert not let_in(policy([OTHER]), caller(OWN))


@pytest.mark.parametrize(("role", "expected"), [("ml-nightly", True), ("ml", False), ("web", False)])
def test_of_an_account_only_the_roles_that_are_named_are_let_in(role: str, expected: bool) -> None:
    assert let_in(policy([OWN, OTHER], [f"arn:aws:iam::{OTHER}:role/ml-*"]), caller(OTHER, role)) is expected


def test_an_account_that_is_named_leaves_it_to_its_own_iam_whom_it_lets_in() -> None:
    assert not let_in(policy([OWN]), caller(OWN), own="{}")
    assert let_in(policy([f"arn:aws:iam::{OWN}:role/ml"]), caller(OWN), own="{}") is False  # denied: not of accounts


def test_a_role_of_the_same_name_in_another_account_is_another_role() -> None:
    assert not let_in(policy([OWN, OTHER], [f"arn:aws:iam::{OTHER}:role/ml"]), caller(OWN, "ml"))


def test_without_a_policy_the_own_account_is_let_in_by_its_iam_and_no_other() -> None:
    assert let_in(None, caller(OWN))
    assert not let_in(None, caller(OWN), own="{}")
    assert not let_in(None, caller(OTHER))


def test_a_condition_that_is_not_imitated_is_refused_and_not_passed_over() -> None:
    document = policy([OWN])
    document["Statement"][1]["Condition"] = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    with pytest.raises(ConditionUnknown, match="IpAddress"):
        let_in(document, caller(OWN))
