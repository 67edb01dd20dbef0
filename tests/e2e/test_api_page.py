"""What docs/api.md shows works as written on `tunedrop up`, and what it lists is what there is."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from checks import openapi
from embedded_aws.waiting import until
from local.command.subscriber import subscribe
from tests.e2e.command_runs import REPOSITORY, small_gsm8k, tunedrop_up
from tests.e2e.roles import caller_of_the_api
from tunedrop.api import problems
from tunedrop.teams import Teams

PAGE = (REPOSITORY / "docs/api.md").read_text()
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(heading: str) -> dict[str, str]:
    """The blocks of code below a heading, by their language."""
    section = PAGE[PAGE.index(f"\n## {heading}\n") :].split("\n## ")[1]
    return dict(_BLOCK.findall(section))


@pytest.fixture(scope="module")
def up() -> Iterator[Mapping[str, str]]:
    """The environment that `tunedrop up` tells."""
    with tunedrop_up() as (_, environment):
        yield environment


def client(up: Mapping[str, str], service: str, caller: Mapping[str, str] | None = None) -> Any:
    keys = caller or up
    session = boto3.Session(
        keys["AWS_ACCESS_KEY_ID"],
        keys["AWS_SECRET_ACCESS_KEY"],
        keys.get("AWS_SESSION_TOKEN"),
        region_name=up["AWS_REGION"],
    )
    made: Any = session.client
    return made(service, endpoint_url=up["AWS_ENDPOINT_URL"])


def clean(up: Mapping[str, str]) -> dict[str, str]:
    """The environment of someone who knows the API's URL and may call it, and nothing else."""
    known = {name: up[name] for name in ("TUNEDROP_API_URL", "AWS_REGION")}
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **known, **caller_of_the_api(up)}


@pytest.fixture(scope="module")
def queue_url(up: Mapping[str, str]) -> str:
    """A queue that subscribes to the ends of runs."""
    policy = {"event": ["run_ended"]}
    return subscribe(client(up, "sqs"), client(up, "sns"), up["TUNEDROP_NOTICES_TOPIC"], "ends", policy)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_gsm8k(tmp_path_factory.mktemp("datasets") / "sums", test=20)


@pytest.mark.prove
def test_the_lines_for_curl_take_a_run_to_its_report(up: Mapping[str, str], tmp_path: Path) -> None:
    # A reader is in the repository; the report is written where they are.
    (tmp_path / "events/datasets").mkdir(parents=True)
    (tmp_path / "events/datasets/extraction").symlink_to(REPOSITORY / "events/datasets/extraction")
    typed = blocks("With curl")["bash"].replace(". build/up/environment", ":")
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", typed],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean(up),
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("Ended: compared with its base, the tuned model is "), done.stdout
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


@pytest.fixture(scope="module")
def python_of_another_team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python with the client's wheel, and nothing else of this repository."""
    folder = tmp_path_factory.mktemp("other-team")
    uv = Path(sys.executable).with_name("uv")
    build = ("--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, REPOSITORY / "client")
    subprocess.run([uv, "build", "--quiet", *build], check=True)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv/bin/python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, wheel], check=True)
    return python


@pytest.mark.prove
def test_the_python_program_needs_no_right_but_to_call_the_api(
    up: Mapping[str, str], dataset: Path, python_of_another_team: Path, tmp_path: Path
) -> None:
    program = blocks("With Python")["python"]
    done = subprocess.run(
        [python_of_another_team, "-c", program, dataset, "report"],
        capture_output=True,
        text=True,
        env=clean(up),
        cwd=tmp_path,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    started, *progress, ended = done.stdout.splitlines()
    assert started.startswith("started sums-")
    assert ended in ("SUCCEEDED improved", "SUCCEEDED tied")
    assert progress[-1].startswith("Ended: compared with its base, the tuned model is ")
    assert len(set(progress)) == len(progress) > 2, progress
    assert {each.name for each in (tmp_path / "report").iterdir()} == {"report.html", "report.json", "model_card.md"}
    with pytest.raises(ClientError, match="AccessDenied"):
        client(up, "s3", caller_of_the_api(up)).list_objects_v2(Bucket=up["TUNEDROP_RUNS_BUCKET"])


@pytest.mark.prove
def test_a_state_machine_starts_a_run_and_wakes_with_its_notice(up: Mapping[str, str], queue_url: str) -> None:
    """The run is one that is rejected at once: how it ends makes no difference to who waits."""
    shown = blocks("From Step Functions")
    dynamodb, states, role = client(up, "dynamodb"), client(up, "stepfunctions"), role_of_the_reader(up)
    dynamodb.create_table(
        TableName="waiting",
        AttributeDefinitions=[{"AttributeName": "run_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "run_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    subscribe_function(up, shown["python"], role)
    api_id = client(up, "apigateway").get_rest_apis()["items"][0]["id"]
    definition = shown["yaml"].replace("API_ID", api_id).replace("WAITING_TABLE", "waiting")
    machine = states.create_state_machine(
        name="reader", definition=json.dumps(yaml.safe_load(definition)), roleArn=role
    )["stateMachineArn"]
    bucket = up["TUNEDROP_DATASET_BUCKET"]
    client(up, "s3").put_object(Bucket=bucket, Key="inbox/given/data.jsonl", Body=b"{}\n")
    given = {"name": "given", "dataset": f"s3://{bucket}/inbox/given/data.jsonl"}
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]

    def ended() -> Any:
        described = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    described = until(ended, "the end of the reader's execution", seconds=120)
    assert described["status"] == "SUCCEEDED", (described.get("error"), described.get("cause"))
    assert json.loads(described["output"]) == {"status": "REJECTED", "tuned_model": None}


def role_of_the_reader(up: Mapping[str, str]) -> str:
    services = ["states.amazonaws.com", "lambda.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    # What the page says that the machine and the function need, and what every function has.
    actions = ["execute-api:Invoke", "dynamodb:PutItem", "dynamodb:GetItem", "states:SendTaskSuccess", "logs:*"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    trusted, policy = (json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allowed))
    iam = client(up, "iam")
    made = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trusted)
    iam.put_role_policy(RoleName="reader", PolicyName="reader", PolicyDocument=policy)
    arn: str = made["Role"]["Arn"]
    return arn


def subscribe_function(up: Mapping[str, str], source: str, role: str) -> None:
    """Make the page's function a subscriber to the ends of runs."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("app.py", source)
    # AWS's runtime brings boto3 along; the one of this machine has it from the application's layer.
    layers = client(up, "lambda").list_layers()["Layers"]
    boto3_layer = next(
        each["LatestMatchingVersion"]["LayerVersionArn"] for each in layers if "ependencies" in each["LayerName"]
    )
    function = client(up, "lambda").create_function(
        FunctionName="wake",
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
        Layers=[boto3_layer],
        Environment={"Variables": {"WAITING_TABLE": "waiting"}},
    )["FunctionArn"]
    topic = up["TUNEDROP_NOTICES_TOPIC"]
    client(up, "lambda").add_permission(
        FunctionName="wake",
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    filtered = {"FilterPolicy": json.dumps({"event": ["run_ended"]})}
    client(up, "sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function, Attributes=filtered)


def test_the_page_lists_every_route() -> None:
    listed = set(re.findall(r"^\| (GET|POST) \| `(/\S*)` \|", PAGE, re.MULTILINE))
    paths = openapi.document()["paths"]
    assert listed == {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_the_page_lists_every_type_of_problem_with_its_status() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", PAGE, re.MULTILINE)
    assert dict(listed) == {kind: str(status) for kind, (status, _) in problems.KINDS.items()}


def test_the_state_machine_that_waits_for_a_notice_outlasts_a_run() -> None:
    def seconds(machine: str) -> int:
        text = (REPOSITORY / f"statemachine/{machine}.asl.yaml").read_text()
        return int(yaml.safe_load(text)["TimeoutSeconds"])

    shown = yaml.safe_load(blocks("From Step Functions")["yaml"])["States"]["WaitForNotice"]
    assert shown["TimeoutSeconds"] > seconds("rft_pipeline") + seconds("aftermath")


def test_the_mapping_of_teams_that_is_shown_is_a_valid_one() -> None:
    teams = Teams.parse(blocks("Teams")["json"])
    caller = teams.of_caller("arn:aws:sts::123456789012:assumed-role/research-nightly/session")
    assert caller is not None
    assert caller.name == "research"
    assert teams.of_dataset_name("ranking-de") == "search"
