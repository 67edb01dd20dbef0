"""Which services a resource's policy lets in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.permissions.conditions import ConditionUnknown
from embedded_aws.permissions.policy import Principal, Request, decide, statements

ACCOUNT = "123456789012"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:dead-letters"
RULE = "arn:aws:events:us-west-2:123456789012:rule/upload"


def _allows(*policy: dict[str, Any]) -> bool:
    context = {"aws:sourcearn": RULE, "aws:sourceaccount": ACCOUNT, "aws:securetransport": "true"}
    request = Request(Principal(ACCOUNT, service="events.amazonaws.com"), "sqs:SendMessage", QUEUE, context)
    return decide(request, identity=(), resource=statements(json.dumps({"Statement": policy}), "queue")).allowed


def _statement(**fields: Any) -> dict[str, Any]:
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return {**allowed, "Resource": QUEUE, **fields}


@pytest.mark.parametrize(
    "statement",
    [
        _statement(),
        _statement(Principal="*"),
        _statement(Principal={"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}),
        _statement(Action=["sqs:*"]),
        _statement(Action="SQS:SendMessage"),
        _statement(Resource="*"),
        _statement(Condition={"ArnEquals": {"aws:SourceArn": RULE}}),
        _statement(Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:*:rule/*"}}),
        _statement(Condition={"StringEquals": {"aws:SourceAccount": ["123456789012"]}}),
        _statement(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        _statement(Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
    ],
)
def test_the_service_is_let_in(statement: dict[str, Any]) -> None:
    assert _allows(statement)


@pytest.mark.parametrize(
    "statement",
    [
        _statement(Principal={"Service": "sns.amazonaws.com"}),
        _statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}),
        _statement(Action="sqs:ReceiveMessage"),
        _statement(Resource=QUEUE + "-other"),
        _statement(Condition={"ArnEquals": {"aws:SourceArn": RULE + "-other"}}),
        _statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        _statement(Effect="Deny"),
    ],
)
def test_the_service_is_not_let_in(statement: dict[str, Any]) -> None:
    assert not _allows(statement)


def test_a_denial_goes_before_a_permission() -> None:
    assert not _allows(_statement(), _statement(Effect="Deny", Principal="*"))


def test_the_denial_of_what_comes_without_tls_does_not_meet_a_service() -> None:
    without_tls = {"Bool": {"aws:SecureTransport": "false"}}
    assert _allows(_statement(), _statement(Effect="Deny", Principal="*", Action="sqs:*", Condition=without_tls))


def test_a_denial_for_all_but_some_principals_meets_a_service() -> None:
    but_one = {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/one"}}
    assert not _allows(_statement(), _statement(Effect="Deny", Principal="*", Condition=but_one))


def test_without_a_policy_nobody_is_let_in() -> None:
    assert not _allows()


def test_a_condition_that_is_not_imitated_is_an_error() -> None:
    with pytest.raises(ConditionUnknown, match="IpAddress"):
        _allows(_statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
