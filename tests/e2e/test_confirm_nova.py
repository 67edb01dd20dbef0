"""`make confirm` through Nova's API: a job, its model deployed and asked, all deleted; a missing permission is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws import EmbeddedAws
from local.bedrock import LocalBedrock
from local.stack import RUNTIME
from tests import confirm_walks

pytestmark = pytest.mark.prove

BUCKET = "training-files-of-confirm"


@pytest.fixture(scope="module")
def east() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(region="us-east-1", runtime=RUNTIME) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        aws.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield aws


@pytest.fixture(scope="module")
def words(east: EmbeddedAws) -> list[str]:
    """The arguments; the roles have what docs/deploy.md gives them, and no more."""
    grader = confirm_walks.role(
        east,
        "confirm-grader",
        "lambda.amazonaws.com",
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
    )
    function = f"arn:aws:lambda:us-east-1:{east.account}:function:tunedrop-confirm-*"
    training = confirm_walks.role(
        east,
        "confirm-training",
        "bedrock.amazonaws.com",
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{BUCKET}/tunedrop-confirm-*",
        },
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
    )
    return ["--family", "nova", "--role", grader, "--nova-role", training, "--nova-bucket", BUCKET]


@pytest.fixture
def bedrock(east: EmbeddedAws, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which boto3 finds a local Bedrock of Nova's Region."""
    quick = {"validating_seconds": 0, "queued_seconds": 0, "step_seconds": 0, "deploying_seconds": 1}
    started = LocalBedrock.start(
        state_folder=tmp_path / "bedrock",
        aws_endpoint=east.endpoint,
        enforce_permissions=True,
        region=east.region,
        switches=quick,
    )
    yield {f"AWS_ENDPOINT_URL_{service}": started.endpoint for service in ("BEDROCK", "BEDROCK_RUNTIME")}
    started.close()


def nothing_is_left(aws: EmbeddedAws) -> bool:
    functions = [each["FunctionName"] for each in aws.client("lambda").list_functions()["Functions"]]
    objects = aws.client("s3").list_object_versions(Bucket=BUCKET)
    return not functions and "Versions" not in objects and "DeleteMarkers" not in objects


def test_a_nova_job_is_trained_deployed_asked_and_deleted(
    east: EmbeddedAws, words: list[str], bedrock: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "recording"
    code, document, told = confirm_walks.confirm(east, folder, {**confirm_walks.DEVELOPER, **bedrock}, *words)
    assert code == 0, told
    assert document["simulated"] is True
    known = document["known"]
    assert known["Nova: statuses, in order"].endswith("Completed")
    assert known["Nova: a creation that is sent again with its token"] == "the same job"
    assert known["Nova: how a deployment ends"].startswith("Active")
    assert known["Nova: asking before the deployment is active"].startswith("HTTP 4")
    assert known["Nova: Converse of the tuned model"].startswith("end_turn; blocks: ")
    assert known["Nova: members of InvokeModel's answer"] == "output, stopReason, usage"
    assert known["Nova: deleting a model whose deployment is gone"] == "HTTP 200"
    assert "reference_answer" in known["Nova: the grader's batch"]
    assert "Natalia" not in known["Nova: the grader's batch"]
    page = (folder / "CONFIRMED.md").read_text()
    assert all(question in page for question in known)
    assert "| CONFIRMED |" not in page
    assert nothing_is_left(east)


@pytest.mark.parametrize(
    "action", ["bedrock:CreateModelCustomizationJob", "bedrock:CreateCustomModelDeployment", "bedrock:InvokeModel"]
)
def test_a_caller_who_lacks_a_permission_is_told_which(
    action: str, east: EmbeddedAws, words: list[str], bedrock: dict[str, str], tmp_path: Path
) -> None:
    caller = confirm_walks.caller_without(east, action)
    code, document, told = confirm_walks.confirm(east, tmp_path / "recording", {**caller, **bedrock}, *words)
    assert code == 1, told
    assert action in told
    assert "Traceback" not in told
    assert document["known"]["Nova: Converse of the tuned model"] is None
    assert "UNCONFIRMED" in (tmp_path / "recording/CONFIRMED.md").read_text()
    assert nothing_is_left(east)
