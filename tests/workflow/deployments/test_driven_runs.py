"""Each parameter of the template, driven: stacks with other parameters, and their runs from start to notice.

Each deployment has an embedded AWS of its own, and a process can hold one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from local.aws import EmbeddedAws
from tests.driven_runs import CLOSED, DEV, RUNS, SECRET, SOURCES, Deployment, DrivenRun
from tests.workflow.driving import Driver
from tests.workflow.pipeline.conftest import Application, running

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


@pytest.fixture(scope="module")
def deployed(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    deployment: Deployment = request.param

    def prepare(aws: EmbeddedAws) -> Mapping[str, Any]:
        aws.client("s3").create_bucket(Bucket=SOURCES, **_constraint(deployment.region))
        wanted = [name for name, value in deployment.parameters.items() if value == SECRET]
        return {
            name: aws.client("secretsmanager").create_secret(Name="bedrock-key", SecretString=LONG_TERM_KEY)["ARN"]
            for name in wanted
        }

    with running(deployment.region, deployment.parameters, prepare) as application:
        yield Deployed(application, HERE)


def _constraint(region: str) -> dict[str, Any]:
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


@pytest.mark.parametrize(
    ("deployed", "run"),
    [pytest.param(run.deployment, run, id=f"{run.deployment.name}-{run.name}") for run in HERE],
    indirect=["deployed"],
)
def test_a_run_in_another_deployment_ends_as_it_must(deployed: Deployed, run: DrivenRun) -> None:
    deployed.driver.drive(run)


@pytest.mark.parametrize("deployed", [pytest.param(CLOSED, id=CLOSED.name)], indirect=True)
def test_what_the_closed_stack_was_given_is_used(deployed: Deployed) -> None:
    deployed.driver.drive(next(run for run in HERE if run.deployment is CLOSED))
    assert ("secretsmanager", "GetSecretValue") in deployed.made
    stack = deployed.application.stack
    for topic, address in (("NoticesTopicArn", "NoticesEmail"), ("OperationsTopicArn", "OperationsEmail")):
        subscribed = stack.aws.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs[topic])["Subscriptions"]
        assert ("email", CLOSED.parameters[address]) in {(each["Protocol"], each["Endpoint"]) for each in subscribed}
