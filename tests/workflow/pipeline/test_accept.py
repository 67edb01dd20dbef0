"""`make accept` on the embedded AWS: every promise is kept, nothing is left behind, and a lost right makes it red."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.aws.calls import CallRefused
from tests.workflow.pipeline.conftest import Application

REPOSITORY = Path(__file__).parents[3]
STACK = "tunedrop"


@pytest.fixture(scope="module")
def described(shared_application: Application) -> None:
    """CloudFormation tells the stack's outputs, as a deployment leaves them."""
    client = shared_application.stack.aws.client("cloudformation")
    try:
        client.describe_stacks(StackName=STACK)
    except client.exceptions.ClientError:
        outputs = {name: {"Value": value} for name, value in shared_application.stack.outputs.items()}
        template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
        client.create_stack(StackName=STACK, TemplateBody=json.dumps(template))


def accept(application: Application, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    """The command's exit code, what it says of each promise, and what it told on its way."""
    stack = application.stack
    given = ["--stack", STACK, "--api-url", stack.api_url, "--look-seconds", "0.3", *words]
    done = subprocess.run(
        [sys.executable, "-m", "accept", *given],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": stack.aws.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        },
        timeout=600,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def test_nothing_is_done_without_a_word_for_the_money(application: Application) -> None:
    code, kept, told = accept(application)
    assert (code, kept) == (2, [])
    assert "--yes-it-costs-money" in told


@pytest.mark.prove
@pytest.mark.usefixtures("described")
def test_every_promise_is_kept_and_what_the_walk_made_is_put_away(application: Application) -> None:
    code, kept, told = accept(application, "--yes-it-costs-money")
    assert code == 0, told
    assert len(kept) == 7
    assert all(each["kept"] for each in kept)
    queues = application.stack.aws.client("sqs").list_queues(QueueNamePrefix=f"{STACK}-accept-")
    assert "QueueUrls" not in queues
    left = application.stack.aws.client("s3").list_object_versions(
        Bucket=application.stack.outputs["DatasetBucketName"], Prefix="inbox/accept-"
    )
    assert "Versions" not in left


@pytest.mark.prove
@pytest.mark.usefixtures("described")
def test_a_right_that_is_taken_away_breaks_a_promise_by_name(application: Application) -> None:
    # The training's events may not be read any more, as if the roles had lost dynamodb:Query.
    application.stack.aws.calls.refuse(
        "dynamodb", "Query", CallRefused("AccessDeniedException", "not yours"), times=9999
    )
    code, kept, told = accept(application, "--yes-it-costs-money")
    assert code == 1, told
    broken = {each["promise"]: each["found"] for each in kept if not each["kept"]}
    assert "FAILED" in broken["an upload ends in one notice with a verdict"]
    assert "AccessDenied" in broken["an upload ends in one notice with a verdict"]
