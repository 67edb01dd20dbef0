"""What a dropper or a caller could try to promote elsewhere, or to approve himself: each try is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.in_prove import in_prove
from tests.unit.promoting import STACK, promoting, report
from tunedrop.api.application import build
from tunedrop.api.problems import Problem
from tunedrop.api.stopping import decide, roll_back
from tunedrop.notices import of_run
from tunedrop.outcomes import RecipeInvalid, Status
from tunedrop.recipe import Promotion, Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.models import Models
from tunedrop.run.promotion import note_roll_back
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import EvaluationResult
from tunedrop.states import promote_model, resolve_inputs
from tunedrop.teams import ApprovalRule, Teams

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


class Killed(BaseException):
    """The process is gone."""


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
def resources(runs_table: str, api_table: str, monkeypatch: pytest.MonkeyPatch) -> Resources:
    made, _ = promoting(runs_table, monkeypatch)
    made.models = Models(made.dynamodb, api_table, made.runs)
    made.teams = TEAMS
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
        report(resources, record)
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
        in_prove(f"{SESSION}red-lead-2/me", f"{ROLE}red-lead-of-jobs"),  # a role whose name begins alike
        in_prove(f"{SESSION}blue-lead/me", f"{ROLE}red-lead-of-jobs"),  # another team's
        in_prove(f"{ROLE}red-lead-2", f"{ROLE}red-lead-of-jobs"),
        in_prove("arn:aws:iam::210987654321:role/red-lead", f"{ROLE}red-lead-of-jobs"),  # another account's
        in_prove("arn:aws:sts::123456789012:federated-user/red-lead", f"{ROLE}red-lead-of-jobs"),
        (f"{SESSION}red-lead/me", f"{ROLE}red-lead"),  # who started the run
        in_prove(f"{SESSION}red-lead/another-name", f"{ROLE}red-lead"),  # in another session
        in_prove("", f"{ROLE}red-lead-of-jobs"),
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


def test_the_run_s_own_team_says_who_approves_and_when(resources: Resources, waits: Callable[..., RunRecord]) -> None:
    rule = {"approvers": [f"{ROLE}red-lead"], "approval": {"below": 0.05}}
    resources.teams = Teams.parse(json.dumps({"red": rule, "blue": {}}))
    team = resolve_inputs._approving(waits(), resources)
    assert team is not None
    assert team.approval == ApprovalRule(below=0.05)
    for other in ("blue", None):
        assert resolve_inputs._approving(waits(f"of-{other}", team=other), resources) is None


@pytest.mark.parametrize(
    "model",
    ["blue-s-model", *map(in_prove, ("openai.gpt-oss-20b", "someone-s-model", MODEL.upper())), f"{MODEL} "],
)
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


@pytest.fixture
def replaced(resources: Resources, waits: Callable[..., RunRecord]) -> RunRecord:
    """A run whose model was approved, and replaced another one."""
    resources.ssm.put_parameter(Name=PLACE, Value="the-one-before", Type="String")
    say(resources, waits(), f"{SESSION}red-lead/jo")
    assert promote_model.run({"run_id": "red-1", "word": "approved"}, resources).decision == "done"
    resources.functions = cast(Any, SimpleNamespace(invoke=lambda **asked: invoked(resources, asked["Payload"])))
    return resources.runs.load("red-1")


def invoked(resources: Resources, payload: str) -> dict[str, Any]:
    """What Lambda answers for PromoteModel."""
    output = promote_model.run(json.loads(payload), resources).output()
    return {"Payload": io.BytesIO(json.dumps(output).encode())}


def undo(resources: Resources, record: RunRecord, by: str, *, team: str = "red") -> RunRecord:
    found = TEAMS.called(team)
    assert found is not None
    return roll_back(record, resources, found, "promote", by=by, reason="slower")


def test_an_approver_rolls_back_and_it_is_kept_who_when_and_why(resources: Resources, replaced: RunRecord) -> None:
    assert promoted(resources)[PLACE] == MODEL
    for _ in range(2):  # an answer was lost
        record = undo(resources, replaced, f"{SESSION}red-lead/jo")
    assert promoted(resources)[PLACE] == "the-one-before"
    assert (record.promotion, record.rolling_back_to) == ("rolled_back", "the-one-before")
    assert record.roll_back is not None
    assert (record.roll_back["by"], record.roll_back["reason"]) == (f"{ROLE}red-lead", "slower")
    told = [json.loads(resources.s3.get_object(Bucket="runs", Key=each["Key"])["Body"].read()) for each in
            resources.s3.list_objects_v2(Bucket="runs", Prefix="audit/")["Contents"]]  # fmt: skip
    by_what = {each["what"]: each for each in told}
    assert (by_what["roll_back_asked"]["by"], by_what["roll_back_asked"]["reason"]) == (f"{ROLE}red-lead", "slower")
    assert (by_what["rolled_back"]["tuned_model"], by_what["rolled_back"]["parameter"]) == ("the-one-before", PLACE)
    assert by_what["promoted"]["tuned_model"] == MODEL


@pytest.mark.parametrize(
    "by", [f"{SESSION}red-jobs/me", *map(in_prove, (f"{SESSION}blue-lead/me", f"{ROLE}red-lead-2", ""))]
)
def test_who_is_no_approver_rolls_nothing_back(resources: Resources, replaced: RunRecord, by: str) -> None:
    with refused("approval-not-yours"):
        undo(resources, replaced, by)
    assert promoted(resources)[PLACE] == MODEL


def test_a_roll_back_past_the_api_changes_nothing(resources: Resources, replaced: RunRecord) -> None:
    assert replaced.roll_back is None
    assert promote_model.run({"run_id": "red-1", "word": "roll_back"}, resources).decision == "nothing"
    assert promoted(resources)[PLACE] == MODEL


def test_a_model_that_came_later_is_not_rolled_back_by_the_run_before_it(
    resources: Resources, replaced: RunRecord
) -> None:
    resources.ssm.put_parameter(Name=PLACE, Value="the-next-one", Type="String", Overwrite=True)
    with refused("nothing-to-roll-back"):
        undo(resources, replaced, f"{SESSION}red-lead/jo")
    assert promoted(resources)[PLACE] == "the-next-one"


def test_a_first_model_has_none_to_put_back(resources: Resources, replaced: RunRecord) -> None:
    resources.ssm.delete_parameter(Name=f"{PLACE}/previous")
    with refused("nothing-to-roll-back"):
        undo(resources, replaced, f"{SESSION}red-lead/jo")
    assert promoted(resources) == {PLACE: MODEL}


def test_a_run_that_promoted_nothing_has_nothing_to_roll_back(
    resources: Resources, waits: Callable[..., RunRecord]
) -> None:
    with refused("nothing-to-roll-back"):
        undo(resources, waits(), f"{SESSION}red-lead/jo")


@pytest.mark.parametrize("killed_at", ["PutParameter", "UpdateItem"])
def test_a_roll_back_that_was_killed_ends_as_if_it_had_not_been(
    resources: Resources, replaced: RunRecord, killed_at: str
) -> None:
    client: Any = resources.ssm if killed_at == "PutParameter" else resources.dynamodb

    def die(**_: Any) -> None:
        raise Killed

    note_roll_back(replaced, resources.runs, by=f"{ROLE}red-lead", reason="slower")
    client.meta.events.register(f"after-call.*.{killed_at}", die)
    with pytest.raises(Killed):
        promote_model.run({"run_id": "red-1", "word": "roll_back"}, resources)
    client.meta.events.unregister(f"after-call.*.{killed_at}", die)
    assert undo(resources, replaced, f"{SESSION}red-lead/jo").promotion == "rolled_back"
    assert promoted(resources)[PLACE] == "the-one-before"


def test_a_roll_back_whose_function_failed_is_told_to_be_tried_again(resources: Resources, replaced: RunRecord) -> None:
    failed = {"Payload": io.BytesIO(b'{"errorType": "ServiceBusy"}'), "FunctionError": "Unhandled"}
    resources.functions = cast(Any, SimpleNamespace(invoke=lambda **_: failed))
    with refused("unavailable"):
        undo(resources, replaced, f"{SESSION}red-lead/jo")
    assert promoted(resources)[PLACE] == MODEL


def test_a_governed_record_whose_parameter_is_another_team_s_is_not_rolled_back(
    resources: Resources, replaced: RunRecord
) -> None:
    note_roll_back(replaced, resources.runs, by=f"{ROLE}red-lead", reason="slower")
    resources.runs.update_if("red-1", {"team": "blue"}, "attribute_exists(run_id)")
    assert promote_model.run({"run_id": "red-1", "word": "roll_back"}, resources).decision == "nothing"
    assert promoted(resources)[PLACE] == MODEL


@pytest.fixture
def ask(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    """Asks the application for something of the run red-1; status and document."""
    teams = {"red": {"callers": [f"{ROLE}red-*"], "names": ["red-"], "approvers": [f"{ROLE}red-lead"]}}
    monkeypatch.setenv("TEAMS", json.dumps(teams))
    monkeypatch.setenv("API_TABLE", "api")
    monkeypatch.setenv("PIPELINE_ARN", "arn:aws:states:us-west-2:123456789012:stateMachine:pipeline")
    app = build(resources)

    def ask(method: str, what: str) -> tuple[int, Any]:
        path = f"/runs/red-0123456789abcdef/{what}"
        event = {
            "httpMethod": method,
            "resource": f"/runs/{{run_id}}/{what}",
            "path": path,
            "pathParameters": {"run_id": "red-0123456789abcdef"},
            "headers": {},
            "multiValueHeaders": {},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"identity": {"userArn": f"{SESSION}red-lead/jo"}, "path": f"/v1{path}"},
            "body": None,
            "isBase64Encoded": False,
        }
        answer = app.resolve(event, None)  # type: ignore[arg-type]  # it is not asked
        return answer["statusCode"], json.loads(answer["body"])

    return ask


def test_an_approver_s_requests_are_answered_by_the_run_as_it_is_then(
    resources: Resources, waits: Callable[..., RunRecord], ask: Callable[..., tuple[int, Any]]
) -> None:
    resources.ssm.put_parameter(Name=PLACE, Value="the-one-before", Type="String")
    run_id = waits("red-0123456789abcdef").run_id
    status, told = ask("POST", "approve")
    assert (status, told["run_id"]) == (202, run_id)
    assert promote_model.run({"run_id": run_id, "word": "approved"}, resources).decision == "done"
    resources.functions = cast(Any, SimpleNamespace(invoke=lambda **asked: invoked(resources, asked["Payload"])))
    status, told = ask("POST", "rollback")
    assert (status, told["promotion"]["state"]) == (202, "rolled_back")
    assert promoted(resources)[PLACE] == "the-one-before"


def test_an_ended_run_s_report_is_told_by_links_to_what_was_written(
    resources: Resources, waits: Callable[..., RunRecord], ask: Callable[..., tuple[int, Any]]
) -> None:
    run_id = waits("red-0123456789abcdef").run_id
    folder = resources.folder(run_id)
    resources.runs.update_if(run_id, {"report_uri": folder.uri(names.REPORT)}, "attribute_exists(run_id)")
    folder.write(f"{names.REPORT_ROWS}1.js", b"")
    resources.s3.delete_object(Bucket="runs", Key=folder.key(names.MODEL_CARD))
    status, told = ask("GET", "report")
    assert (status, told["model_card"]) == (200, None)
    assert f"/{folder.key(names.REPORT_PAGE)}?" in told["page"]
    assert [each.partition("?")[0].rpartition("/")[2] for each in told["rows"]] == ["1.js"]
