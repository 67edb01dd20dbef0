"""Least privilege, shown: the runs of three stacks ask for what is kept as needed, and are refused nothing."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import EmbeddedAws
from embedded_aws.waiting import until
from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests import asked_permissions
from tests.asked_permissions import Asked, Names, Recorder
from tests.workflow.api.clients import Client, Service
from tests.workflow.pipeline.application import QUICK, TRAIN, Application, jsonl, rows
from tunedrop import recipe_text

HERE = "tests/workflow/deployments/test_permissions_used.py"
EXAMPLES = Path(__file__).parents[3] / "events/datasets"
PATIENCE_SECONDS = 1200
"""How long a run may take on a machine that does much else."""
SOURCES = "shared-data"
REHEARSAL: Mapping[str, Any] = {"rehearsal": {"prompts": 8, "samples": 4}}
# So many rows, and so lenient a level, that the simulated model surely counts as improved and is promoted.
ENOUGH = jsonl(rows(60, skip=100))
FEW = jsonl(rows(20, skip=100))

OWN_GRADER = """
def handler(event, context):
    return [{"id": each["id"], "aggregate_reward_score": len(each["id"]) % 2, "metrics_list": []} for each in event]
"""


def bad_end(event: Mapping[str, Any]) -> bool:
    return event["source"] == "aws.states" and event["detail"]["status"] in ("FAILED", "TIMED_OUT", "ABORTED")


def drop(application: Application, recipe: Mapping[str, Any] | None, test: bytes = FEW, train: bytes = TRAIN) -> str:
    files = {"test.jsonl": test} if test else {}
    if recipe is not None:
        files["recipe.json"] = json.dumps(recipe).encode()
    return application.drop({**files, "train.jsonl": train})


def end(application: Application, name: str, *statuses: str) -> dict[str, Any]:
    until(lambda: application.notices_of(name), f"the notice of {name}", PATIENCE_SECONDS)
    notice = application.end(name)
    assert notice["status"] in statuses, notice
    return notice


def stop_in_training(application: Application, recipe: Mapping[str, Any] | None, *, event_lost: bool = False) -> None:
    """A run that a person stops while its job trains; where its event is lost, the sweeper finds it."""
    application.stack.bedrock.set_switch("step_seconds", 2)
    name = drop(application, recipe)
    until(lambda: any(run.job_id for run in application.records(name)), f"the job of {name}", PATIENCE_SECONDS)
    if event_lost:
        application.stack.aws.dispatch.faults.drop(bad_end)
    for execution in application.executions(name):
        application.states.stop_execution(executionArn=execution["executionArn"])
    if event_lost:
        application.stack.aws.dispatch.settle()
        application.sweep()
    end(application, name, "CANCELLED")
    application.quiet()


def approve(application: Application, client: Client, name: str) -> None:
    """A person says yes to the promotion of a run, and then wants it undone, which a first model cannot be."""
    until(lambda: application.record(name).approval_token, f"the question about {name}", PATIENCE_SECONDS)
    run_id = application.record(name).run_id
    assert client.ask("POST", f"/runs/{run_id}/approve").status == 202
    until(lambda: application.record(name).promotion == "done", f"the promotion of {name}", PATIENCE_SECONDS)
    assert client.ask("POST", f"/runs/{run_id}/rollback").problem == "nothing-to-roll-back"


def use_the_api(application: Application, client: Client) -> None:
    """Upload, validate, start a run, look at everything, stop it."""
    upload = client.upload(TRAIN)
    validation = client.ask("POST", "/validations", {"dataset": {"upload_id": upload}}).json
    until(lambda: client.get(validation["url"])["status"] != "RUNNING", "the validation", PATIENCE_SECONDS)
    run_id = client.start({"name": "called", "dataset": {"upload_id": upload}}).json["run_id"]
    for path in ("/graders", "/models", "/runs"):
        client.get(path)
    for view in ("", "/metrics", "/findings", "/report"):
        client.ask("GET", f"/runs/{run_id}{view}")
    client.ask("POST", f"/runs/{run_id}/reject")
    client.ask("POST", f"/runs/{run_id}/stop")


def in_oregon(application: Application) -> None:
    """Runs that end in every way, with the graders of the stack and an own one, and a team that calls the API."""
    client = Service(application.stack, application.queue_url).client("another-team")
    promotion = {"parameter": "/tunedrop/tunedrop/proof/model", "approval": True}
    promoted = drop(application, {**REHEARSAL, "gates": {"level": 0.2}, "promotion": promotion}, ENOUGH)
    bare = drop(application, None, b"")
    own = {"kind": "own", "function": application.publish_grader("driven", OWN_GRADER)}
    best = drop(application, {**REHEARSAL, "grader": own, "evaluation": {"checkpoints": "best", "validation": 0.2}})
    rejected = application.drop({"notes.txt": b"-", "train.jsonl": b"{}\n"})
    use_the_api(application, client)
    end(application, rejected, "REJECTED")
    approve(application, client, promoted)
    end(application, promoted, "SUCCEEDED")
    end(application, bare, "SUCCEEDED", "REJECTED")
    end(application, best, "SUCCEEDED", "REJECTED")
    stop_in_training(application, REHEARSAL)
    stop_in_training(application, REHEARSAL, event_lost=True)
    application.stack.aws.schedules.step(datetime.timedelta(hours=2))
    application.stack.aws.dispatch.settle()


def with_a_key(application: Application) -> None:
    """A run with a judge and a long-term key of Bedrock, from other people's data; another one is stopped."""
    stack = application.stack
    client = Service(stack, application.queue_url).client("red-pipeline")
    body: dict[str, Any] = {"name": "judged", "recipe": judge_recipe()}
    for field_name, file_name in (("dataset", "train.jsonl"), ("test", "test.jsonl")):
        content = (EXAMPLES / "judge" / file_name).read_bytes()
        stack.aws.client("s3").put_object(Bucket=SOURCES, Key=f"red/{file_name}", Body=content)
        stack.bedrock.teach(content)
        body[field_name] = {"uri": f"s3://{SOURCES}/red/{file_name}"}
    validation = client.ask("POST", "/validations", {"dataset": body["dataset"]}).json
    run_id = client.start(body).json["run_id"]
    until(lambda: client.get(validation["url"])["status"] != "RUNNING", "the validation", PATIENCE_SECONDS)
    until(lambda: client.get(f"/runs/{run_id}")["status"] != "RUNNING", "the end", PATIENCE_SECONDS)
    stop_in_training(application, REHEARSAL)
    application.sweep()


def judge_recipe() -> Any:
    return recipe_text.parse((EXAMPLES / "judge/recipe.yaml").read_bytes(), "recipe.yaml")


def with_nova(application: Application) -> None:
    """A run of Nova to its verdict, and one that is stopped."""
    name = drop(application, REHEARSAL)
    end(application, name, "SUCCEEDED")
    stop_in_training(application, REHEARSAL)
    stop_in_training(application, REHEARSAL, event_lost=True)
    application.sweep()


@dataclass(frozen=True)
class Walk:
    """A stack, and what is done in it."""

    name: str
    take: Callable[[Application], None]
    region: str = "us-west-2"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    with_key: bool = False


WALKS = (
    Walk("oregon", in_oregon, parameters={"AllowedGraders": "arn:aws:lambda:*:*:function:own-*:*"}),
    Walk(
        "key",
        with_a_key,
        parameters={
            "SourceObjects": f"arn:aws:s3:::{SOURCES}/red/*",
            "Teams": json.dumps(
                {
                    "red": {
                        "callers": ["arn:aws:iam::123456789012:role/red-*"],
                        "datasets": [f"s3://{SOURCES}/red/"],
                    }
                }
            ),
        },
        with_key=True,
    ),
    Walk("nova", with_nova, region="us-east-1"),
)


def taken(walk: Walk) -> tuple[Mapping[Asked, Any], Mapping[str, Asked]]:
    """What was asked for in a walk, and the statements that it needs. Fails for a permission that was refused."""

    def prepare(aws: EmbeddedAws) -> Mapping[str, Any]:
        if not walk.with_key:
            return {}
        place = {"LocationConstraint": aws.region}
        aws.client("s3").create_bucket(Bucket=SOURCES, CreateBucketConfiguration=place)
        key = "ABSK" + "dHVuZWRyb3A" * 4
        made = aws.client("secretsmanager").create_secret(Name="bedrock-key", SecretString=key)
        return {"BedrockApiKeySecret": made["ARN"]}

    with LocalStack(
        region=walk.region,
        switches=QUICK,
        stepped_schedules=True,
        retry_delay_factor=0.02,
        parameters={"SettleSeconds": 0, **walk.parameters},
        before_deployment=prepare,
    ) as stack:
        recorder = Recorder(stack.aws.permissions)
        clients = stack.aws.client("sqs"), stack.aws.client("sns")
        application = Application(stack, subscribe(*clients, stack.outputs["NoticesTopicArn"], "subscriber"))
        walk.take(application)
        names = Names(stack.resources, stack.aws.region, stack.aws.account)
        asked = recorder.asked(names)
        needed = asked_permissions.needed_by(asked, names, stack.aws.permissions)
        assert stack.refused == []
        return asked, needed


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_the_runs_ask_for_what_is_kept_as_needed(walk: Walk, pytestconfig: pytest.Config) -> None:
    asked, needed = taken(walk)
    by = f"{HERE}::{walk.name}"
    if pytestconfig.getoption("--keep-permissions"):
        asked_permissions.keep(needed, by)
    lines = [Asked.read(line) for line in asked_permissions.kept() if line["by"] == by]
    assert lines, "run this with --keep-permissions"
    assert [line for line in lines if line not in asked] == []
