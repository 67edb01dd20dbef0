"""Each team sees, stops and starts what is its own, and learns nothing of the other."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from botocore.credentials import Credentials

from embedded_aws.waiting import until
from tests.in_prove import a_third_in_each_run
from tests.workflow.api.clients import ACCOUNT, Client, Service
from tests.workflow.pipeline.application import TRAIN

PATHS = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())["paths"]
BODIES = {
    "/runs": {"name": "x", "dataset": {"uri": "s3://shared-data/red/train.jsonl"}},
    "/uploads": {"bytes": 10},
    "/validations": {"dataset": {"uri": "s3://shared-data/red/train.jsonl"}},
}
ROUTES = [(method.upper(), path) for path, methods in PATHS.items() for method in methods]
ROUTES_OF_A_RUN = [(method, path) for method, path in ROUTES if "{run_id}" in path]
UNKNOWN_RUN = "gsm8k-0123456789abcdef"


@pytest.fixture
def reds_run(red: Client) -> str:
    """A run of team red that stays where it is."""
    answer = red.start({"name": "held-secret", "dataset": {"uri": "s3://shared-data/red/train.jsonl"}})
    assert answer.status == 202, answer.body
    run_id: str = answer.json["run_id"]
    return run_id


def filled(path: str, *, run_id: str = UNKNOWN_RUN, validation_id: str = "0" * 32) -> str:
    return path.replace("{run_id}", run_id).replace("{validation_id}", validation_id)


def ask(client: Client, method: str, path: str) -> tuple[int, str]:
    body = BODIES.get(path) if method == "POST" else None
    headers = {"Idempotency-Key": uuid.uuid4().hex} if path == "/runs" and method == "POST" else {}
    answer = client.ask(method, path, body, headers=headers)
    return answer.status, answer.problem


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_credentials_every_route_answers_403(service: Service, method: str, path: str) -> None:
    assert ask(service.stranger, method, filled(path)) == (403, "not-authorized")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_whoever_is_of_no_team_gets_403_from_every_route(service: Service, method: str, path: str) -> None:
    assert ask(service.client("teamless"), method, filled(path)) == (403, "no-team")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_whoever_the_resource_policy_does_not_let_in_gets_403(service: Service, method: str, path: str) -> None:
    assert ask(service.client("someone-else"), method, filled(path)) == (403, "not-authorized")


@pytest.mark.parametrize(("method", "path"), a_third_in_each_run(ROUTES_OF_A_RUN))
def test_the_other_team_s_run_is_as_one_that_is_not_there(
    reds_run: str, blue: Client, red: Client, method: str, path: str
) -> None:
    theirs = blue.ask(method, filled(path, run_id=reds_run))
    nobodys = blue.ask(method, filled(path))
    assert (theirs.status, theirs.problem) == (nobodys.status, nobodys.problem) == (404, "not-found")
    assert theirs.body.replace(reds_run.encode(), b"") == nobodys.body.replace(UNKNOWN_RUN.encode(), b"")
    assert red.get(f"/runs/{reds_run}")["status"] == "RUNNING"


def test_a_list_has_the_team_s_own_runs_only(reds_run: str, blue: Client, red: Client) -> None:
    assert reds_run in {run["run_id"] for run in red.get("/runs?name=held-secret")["runs"]}
    assert blue.get("/runs?name=held-secret")["runs"] == []
    page = red.get("/runs?limit=1")["next"] or ""
    assert {run["name"] for run in blue.get(f"/runs?page={page}")["runs"]} & {"held-secret"} == set()


def test_a_validation_is_its_team_s_own(service: Service, red: Client, blue: Client) -> None:
    upload_id = red.upload(TRAIN)
    asked = red.ask("POST", "/validations", {"dataset": {"upload_id": upload_id}})
    assert asked.status == 202, asked.body
    theirs = blue.ask("GET", asked.json["url"])
    assert (theirs.status, theirs.problem) == (404, "not-found")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://shared-data/red/train.jsonl",
        "s3://shared-data/anything.jsonl",
        "s3://{bucket}/uploads/red/00000000000000000000000000000000/data.jsonl",
        "s3://{bucket}/inbox/red-secret/train.jsonl",
        "s3://{bucket}/inbox/nobody-s/train.jsonl",
        "s3://{bucket}/recipes/red/recipe.yaml",
        "s3://{runs}/runs/red-secret-0123456789abcdef/train.jsonl",
    ],
)
@pytest.mark.parametrize("place", ["dataset", "test"])
def test_no_team_starts_a_run_on_the_other_s_data(service: Service, blue: Client, uri: str, place: str) -> None:
    outputs = service.stack.outputs
    named = {"uri": uri.format(bucket=outputs["DatasetBucketName"], runs=outputs["RunsBucketName"])}
    own = {"upload_id": blue.upload(b"{}")}
    answer = blue.start({"name": "x", "dataset": own, place: named})
    assert (answer.status, answer.problem) == (403, "dataset-not-allowed")
    checked = blue.ask("POST", "/validations", {"dataset": own, place: named})
    assert (checked.status, checked.problem) == (403, "dataset-not-allowed")


def test_the_other_s_upload_cannot_be_named(red: Client, blue: Client) -> None:
    upload_id = red.upload(TRAIN)
    answer = blue.start({"name": "x", "dataset": {"upload_id": upload_id}})
    assert (answer.status, answer.problem) == (422, "upload-unknown")


@pytest.mark.parametrize("how", ["resumes", "recipe"])
def test_no_team_goes_on_from_the_other_s_run(reds_run: str, blue: Client, how: str) -> None:
    dataset = {"upload_id": blue.upload(TRAIN)}
    more = {"resumes": reds_run} if how == "resumes" else {"recipe": {"resumes": reds_run}}
    theirs = blue.start({"name": "x", "dataset": dataset, **more})
    assert (theirs.status, theirs.problem) == (422, "recipe-invalid")


def test_a_key_is_each_team_s_own(red: Client, blue: Client) -> None:
    key = uuid.uuid4().hex
    runs = {
        client.start({"name": "held", "dataset": {"upload_id": client.upload(TRAIN)}}, key).json["run_id"]
        for client in (red, blue)
    }
    assert len(runs) == 2


def test_a_dropped_dataset_belongs_to_the_team_of_its_name_s_prefix(
    service: Service, red: Client, blue: Client
) -> None:
    name = f"red-{uuid.uuid4().hex[:8]}"
    service.stack.aws.client("s3").put_object(
        Bucket=service.stack.outputs["DatasetBucketName"], Key=f"inbox/{name}/train.jsonl", Body=b"{}\n"
    )
    run_id = _only_run(red, name)
    assert service.ended(red, run_id)["team"] == "red"
    assert blue.ask("GET", f"/runs/{run_id}").status == 404


def _only_run(client: Client, name: str) -> str:
    (run,) = until(lambda: client.get(f"/runs?name={name}")["runs"], f"a run of {name}")
    run_id: str = run["run_id"]
    return run_id


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("secret", "signature we calculated does not match"),
        ("region", "the credential's scope must be"),
        ("date", "Signature expired"),
        ("body", "signature we calculated does not match"),
        ("token", "The security token included in the request is invalid."),
        ("header", "signature we calculated does not match"),
        ("nonsense", "not an Authorization header of Signature Version 4"),
        ("stranger", "The security token included in the request is invalid."),
        ("too late", "Signature expired"),
    ],
)
def test_a_signature_must_be_the_request_s_own(
    service: Service, monkeypatch: pytest.MonkeyPatch, change: str, says: str
) -> None:
    client = service.client("red-pipeline")  # of its own: its credentials are changed
    assert client.credentials is not None
    afterwards: dict[str, str] = {}
    if change == "secret":
        client.credentials.secret_key = "another"
    if change == "token":
        client.credentials.token = "another"
    if change == "stranger":
        client = Client(client.url, Credentials("AKIAOFANOTHERACCOUNT", "secret"))
    if change == "region":
        client = Client(client.url, client.credentials, region="eu-west-1")
    if change == "date":
        afterwards["X-Amz-Date"] = "20200101T000000Z"
    if change == "too late":  # signed rightly, six minutes ago; five are let pass
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=6))
    if change == "header":
        afterwards["Idempotency-Key"] = "another"
    if change == "nonsense":
        afterwards["Authorization"] = "Bearer me"
    answer = client.ask(
        "POST",
        "/uploads",
        {"bytes": 10},
        headers={"Idempotency-Key": "one"},
        afterwards=afterwards,
        sent_instead=b'{"bytes": 99}' if change == "body" else None,
    )
    assert (answer.status, answer.problem) == (403, "not-authorized")
    assert says in answer.json["detail"]


@pytest.mark.parametrize(
    ("role", "arguments", "expected"),
    [
        ("blue-flow", {"AuthType": "IAM_ROLE"}, "blue"),
        ("blue-flow", {}, "ApiGateway.403"),
        ("someone-else", {"AuthType": "IAM_ROLE"}, "ApiGateway.403"),
        ("blue-flow", {"AuthType": "IAM_ROLE", "ApiEndpoint": "api.example.org"}, "ApiGateway.ApiNotServed"),
    ],
)
def test_a_state_machine_calls_with_its_own_role(
    service: Service, role: str, arguments: dict[str, str], expected: str
) -> None:
    stack = service.stack
    service.client(role)  # the role is there, and Step Functions may assume it
    states = stack.aws.client("stepfunctions")
    call = {
        "ApiEndpoint": f"{stack.outputs['ApiId']}.execute-api.{stack.region}.amazonaws.com",
        "Stage": "v1",
        "Method": "POST",
        "Path": "/runs",
        "Headers": {"Idempotency-Key": ["{% $states.context.Execution.Name %}"]},
        "RequestBody": {"name": "held", "resumes": "gsm8k-0123456789abcdef"},
        **arguments,
    }
    # Refused in its own team's words where the role was let in: nobody has such a run.
    refused = {"ErrorEquals": ["ApiGateway.422"], "Output": "blue", "Next": "Told"}
    flow = {"Type": "Task", "Resource": "arn:aws:states:::apigateway:invoke", "Arguments": call, "Catch": [refused]}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Call",
        "States": {"Call": {**flow, "End": True}, "Told": {"Type": "Succeed"}},
    }
    machine = states.create_state_machine(
        name=f"caller-{uuid.uuid4().hex[:8]}",
        definition=json.dumps(definition),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    described = until(ended, "the end of the caller's execution")
    told = described.get("error") or json.loads(described["output"])
    assert told == expected, described.get("cause")
