"""`make accept` on the embedded AWS: every promise is kept, nothing is left behind, and a lost right makes it red."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.pipeline.conftest import Application
from tests.workflow.taken_away import taken_away

REPOSITORY = Path(__file__).parents[3]
STACK = "tunedrop"
PARAMETERS = f"/tunedrop/{STACK}/"


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
        timeout=1500,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def test_nothing_is_done_without_a_word_for_the_money(application: Application) -> None:
    code, kept, told = accept(application)
    assert (code, kept) == (2, [])
    assert "--yes-it-costs-money" in told


@pytest.mark.prove
def test_every_promise_is_kept_and_what_the_walk_made_is_put_away(application: Application) -> None:
    code, kept, told = accept(application, "--yes-it-costs-money")
    assert code == 0, told
    assert [each["promise"] for each in kept if not each["kept"]] == []
    assert len(kept) == 11
    found = {each["promise"]: each["found"] for each in kept}
    assert found["a model is promoted when it is better, and only then"].startswith(PARAMETERS)
    assert found["a run that is stopped ends CANCELLED, and says so"]
    queues = application.stack.aws.client("sqs").list_queues(QueueNamePrefix=f"{STACK}-accept-")
    assert "QueueUrls" not in queues
    left = application.stack.aws.client("s3").list_object_versions(
        Bucket=application.stack.outputs["DatasetBucketName"], Prefix="inbox/accept-"
    )
    assert "Versions" not in left
    parameters = application.stack.aws.client("ssm").get_parameters_by_path(Path=PARAMETERS, Recursive=True)
    assert not [each["Name"] for each in parameters["Parameters"] if "/accept-" in each["Name"]]
    alarms = application.stack.aws.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarms == []


@pytest.mark.prove
@pytest.mark.parametrize(
    ("role", "sid"),
    [("SubmitJobRole", "TrainingJobs"), ("PollJobRole", "WatchTheJob"), ("EvaluateShardRole", "AskTheModels")],
)
def test_a_permission_that_is_taken_away_breaks_a_promise_by_name(
    application: Application, role: str, sid: str
) -> None:
    with taken_away(application.stack, role, sid):
        code, kept, told = accept(application, "--yes-it-costs-money")
    assert code == 1, told
    broken = {each["promise"]: each["found"] for each in kept if not each["kept"]}
    end = broken["an upload ends in one notice with a verdict"]
    assert "FAILED" in end
    assert "AccessDenied" in end or "not authorized to perform" in end
