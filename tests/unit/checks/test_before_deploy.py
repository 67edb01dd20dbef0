"""What `make deploy` looks at first: what stands in its way is said in a sentence before anything is built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from checks.before_deploy import Look, looks, main

QUOTAS = [{"QuotaName": "Concurrent model customization jobs", "Value": 2.0}, {"QuotaName": "Guardrails", "Value": 9.0}]


def answer(monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, Any]) -> None:
    """Have these operations answer so (an exception is raised); moto knows neither, all others go to it."""
    asked = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, parameters: Any) -> Any:
        if operation not in answers:
            return asked(client, operation, parameters)
        if isinstance(answers[operation], Exception):
            raise answers[operation]
        return answers[operation]

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


def concurrency(free: int) -> dict[str, Any]:
    return {"AccountLimit": {"UnreservedConcurrentExecutions": free}}


def by_name(made: list[Look]) -> dict[str, Look]:
    return {look.name: look for look in made}


@pytest.mark.usefixtures("aws")
def test_an_account_with_room_is_ready_and_every_look_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, {"GetAccountSettings": concurrency(1000), "ListServiceQuotas": {"Quotas": QUOTAS}})
    assert main(["--env", "dev", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ready"]
    assert {each["name"]: each["result"] for each in told["looks"]} == {
        "ENV": "ok",
        "Region": "ok",
        "parameters": "ok",
        "credentials": "ok",
        "stack": "ok",
        "Lambda: invocations at once": "ok",
        "Bedrock: quotas of training": "ok",
    }


@pytest.mark.parametrize("env", ["devel", "", "production", "default", "DEV"])
def test_an_env_that_there_is_not_is_refused_with_those_that_there_are(
    env: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--env", env]) == 1
    told = capsys.readouterr()
    assert f"expected one of dev, staging, prod (samconfig.toml), got {env!r}" in told.out
    assert "Nothing was built" in told.err


def test_a_region_without_training_is_refused_with_those_that_have_it() -> None:
    assert list(looks("dev", "eu-west-1"))[-1] == Look(
        "Region", "error", "Bedrock tunes models in us-east-1, us-west-2 only; got 'eu-west-1'"
    )


def test_a_shell_without_credentials_is_told_how_to_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    last = list(looks("dev"))[-1]
    assert (last.name, last.result) == ("credentials", "error")
    assert "aws sso login" in last.says


@pytest.mark.usefixtures("aws")
def test_credentials_that_have_expired_end_the_look_with_aws_s_own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    expired = ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token is expired"}}, "GetCallerIdentity")
    answer(monkeypatch, {"GetCallerIdentity": expired})
    last = list(looks("dev"))[-1]
    assert last.result == "error"
    assert "ExpiredToken: The token is expired" in last.says


@pytest.mark.usefixtures("aws")
def test_small_and_missing_quotas_are_warnings_and_what_may_not_be_read_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    none = [{"QuotaName": "Concurrent model customization jobs", "Value": 0.0}]
    answer(monkeypatch, {"GetAccountSettings": concurrency(10), "ListServiceQuotas": {"Quotas": none}})
    made = by_name(list(looks("dev")))
    assert made["Lambda: invocations at once"].result == "warning"
    assert "10 are left" in made["Lambda: invocations at once"].says
    assert "you can train nothing" in made["Bedrock: quotas of training"].says
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "any")
    answer(monkeypatch, {"GetAccountSettings": refused, "ListServiceQuotas": refused})
    made = by_name(list(looks("dev")))
    assert made["Lambda: invocations at once"].result == "unknown"
    assert made["Bedrock: quotas of training"].result == "unknown"
    assert main(["--env", "dev"]) == 0


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("status", "result", "told"),
    [
        ("ROLLBACK_COMPLETE", "error", "delete-stack --stack-name tunedrop-dev --region us-west-2"),
        ("ROLLBACK_FAILED", "error", "delete-stack --stack-name tunedrop-dev --region us-west-2"),
        ("DELETE_FAILED", "error", "delete-stack --stack-name tunedrop-dev --region us-west-2"),
        ("UPDATE_ROLLBACK_FAILED", "error", "continue-update-rollback --stack-name tunedrop-dev --region us-west-2"),
        ("UPDATE_IN_PROGRESS", "error", "wait until that has ended"),
        ("REVIEW_IN_PROGRESS", "ok", "not executed"),
        ("UPDATE_ROLLBACK_COMPLETE", "ok", "is there"),
        ("UPDATE_COMPLETE", "ok", "is there"),
    ],
)
def test_a_stack_that_cannot_be_updated_is_said_before_the_build(
    monkeypatch: pytest.MonkeyPatch, status: str, result: str, told: str
) -> None:
    answer(
        monkeypatch,
        {
            "DescribeStacks": {"Stacks": [{"StackName": "tunedrop-dev", "StackStatus": status}]},
            "GetAccountSettings": concurrency(1000),
            "ListServiceQuotas": {"Quotas": []},
        },
    )
    look = by_name(list(looks("dev")))["stack"]
    assert look.result == result
    assert told in look.says
