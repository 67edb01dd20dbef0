"""The walk that finds out what is UNCONFIRMED, against the local Bedrock: every step is made, no secret is kept."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from confirm.recording import without_secrets
from tests import confirm_walks
from tests.workflow.pipeline.application import Application

REPOSITORY = Path(__file__).parents[3]


def grader_role(application: Application) -> str:
    """What the walk's grader runs with: it may write logs."""
    logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    return confirm_walks.role(application.stack.aws, f"grader-{uuid.uuid4().hex[:6]}", "lambda.amazonaws.com", logs)


@pytest.mark.prove
def test_the_walk_answers_every_question_and_puts_everything_away(application: Application, tmp_path: Path) -> None:
    stack = application.stack
    role = grader_role(application)
    words = ["--family", "open-weight", "--role", role, "--base-url", stack.bedrock.base_url]
    code, told, said = confirm_walks.confirm(stack.aws, tmp_path, confirm_walks.DEVELOPER, *words)
    assert code == 0, said
    assert told["simulated"] is True
    assert "confirms nothing" in said
    known = told["known"]
    assert known["statuses, in order"].endswith("succeeded")
    assert known["steps of the job"] == "22"
    assert known["pause"] == "HTTP 404"
    assert "reference_answer" in known["the grader's batch"]
    assert "Natalia" not in known["the grader's batch"]
    assert known["events before the training"].startswith("HTTP ")
    assert known["checkpoints before the training"].startswith("HTTP ")
    assert known["the error for a job that does not exist"].startswith("HTTP 404")
    assert known["whether a grader may install a system call filter"] in ("installed", "refused: EPERM")
    written = (tmp_path / "CONFIRMED.md").read_text()
    assert all(question in written for question in known)
    assert "confirms nothing" in written
    assert "| CONFIRMED |" not in written
    names = [each["FunctionName"] for each in stack.aws.client("lambda").list_functions()["Functions"]]
    assert not [name for name in names if name.startswith("tunedrop-confirm-")]
    kept = [path.read_text() for path in tmp_path.glob("*.json")]
    assert len(kept) > 15
    for text in kept:
        assert "bedrock-api-key-" not in text
        assert "AKIAIOSFODNN7EXAMPLE" not in text


@pytest.mark.prove
@pytest.mark.parametrize("action", ["CreateFile", "CreateFineTuningJob", "GetFineTuningJob", "CreateInference"])
def test_a_caller_who_lacks_a_permission_is_told_which(action: str, application: Application, tmp_path: Path) -> None:
    stack, refused = application.stack, application.stack.aws.permissions.refused
    role = grader_role(application)
    before = list(refused)
    caller = confirm_walks.caller_without(stack.aws, f"bedrock-mantle:{action}")
    words = ["--family", "open-weight", "--role", role, "--base-url", stack.bedrock.base_url]
    code, told, said = confirm_walks.confirm(stack.aws, tmp_path, caller, *words)
    refused.clear()
    refused.extend(before)
    assert code == 1, said
    assert f"bedrock-mantle:{action}" in said
    assert "Traceback" not in said
    assert told["known"]["whether `seed` is taken"] is None


@pytest.mark.prove
def test_nova_s_walk_asks_for_its_role_and_bucket(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "confirm", "--role", "arn:aws:iam::123456789012:role/r", "--fixtures", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=400,
        check=False,
    )
    assert done.returncode == 2
    assert "--nova-role" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_done_in_a_real_account_without_a_word_for_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "confirm", "--fixtures", str(tmp_path)),
            *("--family", "open-weight", "--role", "arn:aws:iam::123456789012:role/r"),
        ],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=400,
        check=False,
    )
    assert done.returncode == 2
    assert "--yes-it-costs-money" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_signatures_and_accounts_are_taken_out() -> None:
    text = (
        "bedrock-api-key-YWJjZA== ABSKabc= AKIAIOSFODNN7EXAMPLE arn:aws:iam::998877665544:role/r X-Amz-Signature=abc123"
    )
    clean = without_secrets(text)
    for secret in ("YWJjZA", "ABSKabc", "IOSFODNN7", "998877665544", "abc123"):
        assert secret not in clean
    assert "arn:aws:iam::123456789012:role/r" in clean
