"""Each parameter of the template, driven: stacks with other parameters, and their runs from start to notice.

Each deployment has an embedded AWS of its own, and a process can hold one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import boto3
import pytest

from embedded_aws import EmbeddedAws
from tests.asked_permissions import Names, Recorder
from tests.driven_deployments import CLOSED, DEV, MODEL_KEY, SECRET, SIGNED, SOURCES, Deployment
from tests.driven_runs import RUNS, DrivenRun
from tests.workflow.driving import Driver
from tests.workflow.pipeline.application import Application, running

pytestmark = [pytest.mark.prove, pytest.mark.timeout(2000)]

HERE = tuple(run for run in RUNS if run.deployment is not DEV)
LONG_TERM_KEY = "ABSK" + "dHVuZWRyb3A" * 4


class Deployed:
    """A stack that runs, its driver, and the calls that its functions have made."""

    def __init__(self, application: Application, runs: tuple[DrivenRun, ...]) -> None:
        self.application = application
        self.driver = Driver(application, runs)
        self.made: set[tuple[str, str]] = set()
        application.stack.aws.calls.observe(
            lambda call: self.made.add((call.service, call.action)) if call.caller else None
        )


@pytest.fixture(autouse=True)
def no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


class Deployments:
    """The stack of the last deployment that was asked for; the one before it has ended."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._deployment: Deployment | None = None
        self._deployed: Deployed | None = None

    def of(self, deployment: Deployment) -> Deployed:
        if self._deployed is None or deployment is not self._deployment:
            self.close()
            application = self._open.enter_context(
                running(deployment.region, deployment.parameters, lambda aws: prepared(aws, deployment))
            )
            self._deployment, self._deployed = deployment, Deployed(application, HERE)
        return self._deployed

    def close(self) -> None:
        self._deployed = None
        self._open.close()


def prepared(aws: EmbeddedAws, deployment: Deployment) -> Mapping[str, Any]:
    """Make the bucket of other people's data, the secret and the key that the deployment names; their parameters."""
    constraint = {"LocationConstraint": deployment.region}
    elsewhere = {} if deployment.region == "us-east-1" else {"CreateBucketConfiguration": constraint}
    aws.client("s3").create_bucket(Bucket=SOURCES, **elsewhere)
    wanted = [name for name, value in deployment.parameters.items() if value == SECRET]
    secrets = aws.client("secretsmanager")
    keys = [name for name, value in deployment.parameters.items() if value == MODEL_KEY]
    made = {name: aws.client("kms").create_key()["KeyMetadata"]["Arn"] for name in keys}
    return made | {name: secrets.create_secret(Name=name, SecretString=LONG_TERM_KEY)["ARN"] for name in wanted}


@pytest.fixture(scope="module")
def deployments() -> Iterator[Deployments]:
    running_ones = Deployments()
    yield running_ones
    running_ones.close()


def test_what_the_closed_stack_was_given_is_used(deployments: Deployments) -> None:
    deployed = deployments.of(CLOSED)
    deployed.driver.drive(next(run for run in HERE if run.deployment is CLOSED))
    assert ("secretsmanager", "GetSecretValue") in deployed.made
    stack = deployed.application.stack
    for topic, address in (("NoticesTopicArn", "NoticesEmail"), ("OperationsTopicArn", "OperationsEmail")):
        subscribed = stack.aws.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs[topic])["Subscriptions"]
        assert ("email", CLOSED.parameters[address]) in {(each["Protocol"], each["Endpoint"]) for each in subscribed}


def test_a_stack_that_signs_sends_no_bearer_token_and_stays_in_its_project(deployments: Deployments) -> None:
    deployed = deployments.of(SIGNED)
    stack = deployed.application.stack
    permissions = stack.aws.permissions
    recorder = Recorder(permissions)
    deployed.driver.drive(next(run for run in HERE if run.deployment is SIGNED))
    asked = recorder.asked(Names(stack.resources, stack.aws.region, stack.aws.account))
    of_bedrock = {each for each in asked if each.action.startswith("bedrock-mantle:")}
    assert {each.role for each in of_bedrock} == {
        "RehearseGraderRole", "SubmitJobRole", "PollJobRole", "EvaluateShardRole", "ConcludeRunRole", "GraderJudgeRole",
    }  # fmt: skip
    assert {each.resource.rpartition(":")[2] for each in of_bedrock} == {"project/proj_tunedrop1"}
    assert stack.refused == []
    for each in of_bedrock:
        role = permissions.of_role(f"arn:aws:iam::{stack.aws.account}:role/{stack.resources[each.role]}")
        token = permissions.request(role, "bedrock-mantle:CallWithBearerToken", "*", {})
        assert permissions.decide(token).explicit, "denied, and not only left out"


@pytest.mark.parametrize("run", HERE, ids=lambda run: f"{run.deployment.name}-{run.name}")
def test_a_run_in_another_deployment_ends_as_it_must(deployments: Deployments, run: DrivenRun) -> None:
    deployments.of(run.deployment).driver.drive(run)
