"""`make accept` on the embedded AWS: every promise is kept, nothing is left behind, and a lost right makes it red."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import confirm_walks
from tests.workflow.pipeline.application import Application
from tests.workflow.taken_away import taken_away

REPOSITORY = Path(__file__).parents[3]
STACK = "tunedrop"
PARAMETERS = f"/tunedrop/{STACK}/"


def accept(
    application: Application, *words: str, caller: Mapping[str, str] = confirm_walks.DEVELOPER
) -> tuple[int, list[dict[str, Any]], str]:
    """The command's exit code, what it says of each promise, and what it told on its way."""
    stack = application.stack
    given = ["--stack", STACK, "--api-url", stack.api_url, "--look-seconds", "0.3", *words]
    done = subprocess.run(
        [sys.executable, "-m", "accept", *given],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "AWS_ENDPOINT_URL": stack.aws.endpoint, **caller},
        timeout=1500,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def least(application: Application) -> Mapping[str, str]:
    """Credentials of somebody who has docs/accept-policy.json, and nothing else."""
    aws = application.stack.aws
    policy = (REPOSITORY / "docs/accept-policy.json").read_text().replace("ACCOUNT", aws.account)
    arn = confirm_walks.role(
        aws, "acceptor", "ec2.amazonaws.com", *json.loads(policy.replace("STACK", STACK))["Statement"]
    )
    return confirm_walks.credentials(aws, arn)


@pytest.mark.prove
def test_nothing_is_done_without_a_word_for_the_money(application: Application) -> None:
    code, kept, told = accept(application)
    assert (code, kept) == (2, [])
    assert "--yes-it-costs-money" in told


@pytest.mark.prove
def test_every_promise_is_kept_and_what_the_walk_made_is_put_away(application: Application) -> None:
    code, kept, told = accept(application, "--yes-it-costs-money", caller=least(application))
    assert code == 0, told
    assert [each["promise"] for each in kept if not each["kept"]] == []
    assert len(kept) == 11
    found = {each["promise"]: each["found"] for each in kept}
    assert found["a model is promoted when it is better, and only then"].startswith(PARAMETERS)
    assert found["a stopped run ends CANCELLED, and its notice says so"]
    queues = application.stack.aws.client("sqs").list_queues(QueueNamePrefix=f"{STACK}-accept-")
    assert "QueueUrls" not in queues
    left = application.stack.aws.client("s3").list_object_versions(
        Bucket=application.stack.outputs["DatasetBucketName"], Prefix=""
    )
    assert [each["Key"] for each in left.get("Versions", []) if "accept-" in each["Key"]] == []
    assert [each["Key"] for each in left.get("Versions", []) if each["Key"].startswith("uploads/")] == []
    parameters = application.stack.aws.client("ssm").get_parameters_by_path(Path=PARAMETERS, Recursive=True)
    assert not [each["Name"] for each in parameters["Parameters"] if "/accept-" in each["Name"]]
    alarms = application.stack.aws.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarms == []


@pytest.mark.prove
@pytest.mark.parametrize(
    ("role", "sid"),
    [("SubmitJobRole", "TrainingJobs"), ("EvaluateShardRole", "AskTheModels")],
)
def test_a_permission_that_is_taken_away_breaks_a_promise_by_name(
    application: Application, role: str, sid: str
) -> None:
    with taken_away(application.stack, role, sid):
        code, kept, told = accept(application, "--yes-it-costs-money")
    assert code == 1, told
    broken = {each["promise"]: each["found"] for each in kept if not each["kept"]}
    end = broken["an upload ends in one notice with a verdict"]
    assert "Traceback" not in told
    assert "FAILED" in end
    assert "AccessDenied" in end or "not authorized to perform" in end
