"""What a dropper or a caller could try to promote elsewhere, or to approve himself: each try is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest

from tunedrop.api.problems import Problem
from tunedrop.api.stopping import decide
from tunedrop.audit import AuditTrail
from tunedrop.notices import of_run
from tunedrop.outcomes import RecipeInvalid, Status
from tunedrop.recipe import Promotion, Recipe, resolve
from tunedrop.resources import Resources
from tunedrop.run.models import Models
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import EvaluationResult
from tunedrop.run.store import RunStore
from tunedrop.states import promote_model, resolve_inputs
from tunedrop.teams import Teams

STACK = "/tunedrop/dev"
ROLE = "arn:aws:iam::123456789012:role/"
SESSION = "arn:aws:sts::123456789012:assumed-role/"
TEAMS = Teams.parse(
    json.dumps(
        {
            "red": {"callers": [f"{ROLE}red-*"], "names": ["red-"], "approvers": [f"{ROLE}red-lead"]},
            "blue": {"callers": [f"{ROLE}blue-*"], "names": ["blue-"]},
        }
    )
)
PLACE = f"{STACK}/red/model"
MODEL = "the-tuned-model"

ELSEWHERE = (
    f"{STACK}/model",
    f"{STACK}/red",
    f"{STACK}/red/",
    f"{STACK}/blue/model",
    f"{STACK}/red-2/model",
    f"{STACK}/RED/model",
    f"{STACK}/-/model",
    f"{STACK}//red/model",
    f"{STACK}/red/../blue/model",
    f"{STACK}/red/./model",
    f"{STACK}/red/previous",
    f"{STACK}/red/model/previous",
    f"{STACK}/red/previous/model",
    "/tunedrop/prod/red/model",
    "/tunedrop/red/model",
    "/models/red/model",
    "tunedrop/dev/red/model",
    f"{STACK}/red/model\n{STACK}/blue/model",
    f"{STACK}/red/*",
)


@pytest.mark.parametrize("parameter", ELSEWHERE)
def test_no_parameter_outside_the_team_s_own_path_can_be_named(parameter: str) -> None:
    with pytest.raises(RecipeInvalid, match="promotion"):
        resolve({"promotion": {"parameter": parameter}}, "us-west-2", parameter_path=TEAMS.promotion_path(STACK, "red"))
    resolve({"promotion": {"parameter": PLACE}}, "us-west-2", parameter_path=TEAMS.promotion_path(STACK, "red"))


def test_a_run_of_no_team_promotes_into_no_team_s_path() -> None:
    path = TEAMS.promotion_path(STACK, None)
    for parameter in (PLACE, f"{STACK}/blue/model", f"{STACK}/model"):
        with pytest.raises(RecipeInvalid):
            resolve({"promotion": {"parameter": parameter}}, "us-west-2", parameter_path=path)
    assert Teams.parse("{}").promotion_path(STACK, "default") == STACK


@pytest.fixture
def resources(runs_table: str) -> Resources:
    made = Resources()
    made.dynamodb, made.ssm, made.s3 = boto3.client("dynamodb"), boto3.client("ssm"), boto3.client("s3")
    made.s3.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    made.audit = AuditTrail(made.s3, "runs")
    made.dynamodb.create_table(
        TableName="api",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    made.runs = RunStore(made.dynamodb, runs_table)
    made.models = Models(made.dynamodb, "api", made.runs)
    made.teams = TEAMS
    made.settings = cast(Any, SimpleNamespace(parameter_path=STACK))
    made.stepfunctions = cast(Any, SimpleNamespace(send_task_success=lambda **_: None))
    return made


@pytest.fixture
def waits(resources: Resources) -> Callable[..., RunRecord]:
    """A run of red that ended well and waits for an approver."""

    def begin(run_id: str = "red-1", *, parameter: str = PLACE, **more: Any) -> RunRecord:
        recipe = Recipe(model="openai.gpt-oss-20b", promotion=Promotion(parameter=parameter, approval=True))
        given: dict[str, Any] = {
            "run_id": run_id,
            "name": run_id,
            "execution_arn": "arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
            "status": Status.RUNNING,
            "started_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z",
            "team": "red",
            "source": {"kind": "call", "by": f"{ROLE}red-lead-of-jobs"},
            "recipe_document": recipe.model_dump(mode="json"),
            "tuned_model": MODEL,
            "governed": "yes",
            "evaluation": EvaluationResult(
                {"verdict": "improved", "difference": 0.3, "rows": 9, "suspected_reward_hacking": False}
            ),
        }
        record = resources.runs.register(RunRecord(**{**given, **more}))
        resources.runs.close(run_id, of_run.closing(record, Status.SUCCEEDED, None, report_uri=None))
        waiting = {"promotion": "waiting", "approval_token": "token"}
        return resources.runs.update_if(run_id, waiting, "attribute_exists(run_id)")

    return begin


def say(resources: Resources, record: RunRecord, by: str, *, approved: bool = True, team: str = "red") -> None:
    found = TEAMS.called(team)
    assert found is not None
    decide(record, resources, found, approved=approved, by=by, reason="because")


def promoted(resources: Resources) -> dict[str, str]:
    names = [each["Name"] for each in resources.ssm.describe_parameters()["Parameters"]]
    return {name: resources.ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in names}


@contextmanager
def refused(kind: str) -> Iterator[None]:
    with pytest.raises(Problem) as problem:
        yield
    assert problem.value.kind == kind


@pytest.mark.parametrize(
    ("by", "started_by"),
    [
        (f"{SESSION}red-jobs/me", f"{ROLE}red-lead-of-jobs"),  # a caller of the team, and no approver
        (f"{SESSION}red-lead-2/me", f"{ROLE}red-lead-of-jobs"),  # a role whose name begins alike
        (f"{SESSION}blue-lead/me", f"{ROLE}red-lead-of-jobs"),  # another team's
        (f"{ROLE}red-lead-2", f"{ROLE}red-lead-of-jobs"),
        ("arn:aws:iam::210987654321:role/red-lead", f"{ROLE}red-lead-of-jobs"),  # another account's
        ("arn:aws:sts::123456789012:federated-user/red-lead", f"{ROLE}red-lead-of-jobs"),
        (f"{SESSION}red-lead/me", f"{ROLE}red-lead"),  # who started the run
        (f"{SESSION}red-lead/another-name", f"{ROLE}red-lead"),  # in another session
        ("", f"{ROLE}red-lead-of-jobs"),
    ],
)
def test_who_is_no_approver_or_started_the_run_decides_nothing(
    resources: Resources, waits: Callable[..., RunRecord], by: str, started_by: str
) -> None:
    record = waits(source={"kind": "call", "by": started_by})
    for approved in (True, False):
        with refused("approval-not-yours"):
            say(resources, record, by, approved=approved)
    assert resources.runs.load("red-1").approval is None
    promote_model.run({"run_id": "red-1", "word": "approved"}, resources)
    assert promoted(resources) == {}
    assert resources.runs.load("red-1").promotion == "rejected"


def test_an_approver_who_did_not_start_it_approves_and_it_is_kept_who_when_and_why(
    resources: Resources, waits: Callable[..., RunRecord]
) -> None:
    record = waits()
    say(resources, record, f"{SESSION}red-lead/jo")
    say(resources, record, f"{SESSION}red-lead/jo")  # an answer was lost
    with refused("no-approval-wanted"):
        say(resources, record, f"{SESSION}red-lead/jo", approved=False)
    approval = resources.runs.load("red-1").approval
    assert approval is not None
    assert (approval["approved"], approval["by"], approval["reason"]) == ("yes", f"{ROLE}red-lead", "because")
    promote_model.run({"run_id": "red-1", "word": "approved"}, resources)
    assert promoted(resources) == {PLACE: MODEL}
    with refused("no-approval-wanted"):
        say(resources, resources.runs.load("red-1"), f"{SESSION}red-lead/jo")


def test_an_answer_past_the_api_promotes_nothing(resources: Resources, waits: Callable[..., RunRecord]) -> None:
    waits()
    answer = promote_model.run({"run_id": "red-1", "word": "approved"}, resources)
    assert (answer.decision, promoted(resources)) == ("rejected", {})
    assert "through the API" in answer.why_not


def test_a_rejection_that_is_answered_as_an_approval_promotes_nothing(
    resources: Resources, waits: Callable[..., RunRecord]
) -> None:
    say(resources, waits(), f"{SESSION}red-lead/jo", approved=False)
    assert promote_model.run({"run_id": "red-1", "word": "approved"}, resources).decision == "rejected"
    assert promoted(resources) == {}


def test_a_record_whose_parameter_is_another_team_s_promotes_nothing(
    resources: Resources, waits: Callable[..., RunRecord]
) -> None:
    say(resources, waits(parameter=f"{STACK}/blue/model"), f"{SESSION}red-lead/jo")
    assert promote_model.run({"run_id": "red-1", "word": "approved"}, resources).decision == "rejected"
    assert promoted(resources) == {}


@pytest.mark.parametrize("model", ["openai.gpt-oss-20b", "someone-s-model", MODEL.upper(), f"{MODEL} ", "blue-s-model"])
def test_a_model_that_no_run_of_the_team_made_is_not_promoted(
    resources: Resources, waits: Callable[..., RunRecord], model: str
) -> None:
    waits()
    resources.models.made(MODEL, "red-1")
    waits("blue-1", team="blue", tuned_model="blue-s-model")
    resources.models.made("blue-s-model", "blue-1")
    mine = resources.runs.load("red-1")
    with pytest.raises(RecipeInvalid, match="no run of your team"):
        resolve_inputs._require_made_here(model, mine, resources)
    resolve_inputs._require_made_here(MODEL, mine, resources)


def test_a_claim_on_a_model_that_the_named_run_did_not_make_is_none(
    resources: Resources, waits: Callable[..., RunRecord]
) -> None:
    record = waits()
    resources.models.made("another-model", record.run_id)
    assert resources.models.maker("another-model") is None
