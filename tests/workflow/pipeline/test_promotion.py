"""Where a tuned model goes: into its parameter, its predecessor kept, by the gate and, where asked, a person's word."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from embedded_aws.calls import CallRefused
from embedded_aws.waiting import until
from tests.told_decisions import told_decisions
from tests.workflow.pipeline.application import RECIPE, TRAIN, Application, jsonl, rows
from tunedrop.run import promotion
from tunedrop.run.folder import RunFolder

pytestmark = pytest.mark.prove

TEST = jsonl(rows(100, skip=100))  # enough for a verdict
ROLLBACK = (
    "aws ssm put-parameter --name {name} --type String --overwrite "
    '--value "$(aws ssm get-parameter --name {name}/previous --query Parameter.Value --output text)"'
)


@pytest.fixture(scope="module")
def tuned_model(shared_application: Application) -> str:
    """A model that is better than its base, to be evaluated again."""
    notice = shared_application.end(
        shared_application.drop({"test.jsonl": TEST, "recipe.yaml": RECIPE, "train.jsonl": TRAIN})
    )
    assert notice["evaluation"]["verdict"] == "improved"
    model: str = notice["tuned_model"]
    return model


def start(application: Application, model: str, least_difference: float = 0, **wanted: Any) -> str:
    """Evaluate a model with a promotion in the recipe; the dataset's name."""
    recipe = {
        "evaluate_only": model,
        "rehearsal": {"prompts": 8, "samples": 4},
        "gates": {"least_difference": least_difference},
        "promotion": wanted,
    }
    return application.drop({"test.jsonl": TEST, "recipe.json": json.dumps(recipe).encode(), "train.jsonl": TRAIN})


def in_place(application: Application, name: str) -> str | None:
    """The parameter's value, or None where there is no such parameter."""
    found = application.stack.aws.client("ssm").get_parameters(Names=[name])["Parameters"]
    return found[0]["Value"] if found else None


def put(application: Application, name: str, value: str) -> None:
    application.stack.aws.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def ended(application: Application, name: str, outcome: str) -> None:
    """Wait until the promotion has come to its end, which no execution may take for a failure."""
    until(lambda: application.record(name).promotion == outcome, f"the promotion of {name} to be {outcome}")
    until(
        lambda: {each["status"] for each in application.executions(name)} == {"SUCCEEDED"},
        f"the execution of {name} to end well",
    )
    assert application.record(name).approval_token is None
    assert application.record(name).status == "SUCCEEDED"
    assert len(application.notices_of(name)) == 1
    run_id = application.notices_of(name)[0]["run_id"]
    asked = application.record(name).approval_asked
    assert asked is not None

    def told_since() -> list[dict[str, Any]]:
        application.notices_of(name)
        return [each for each in application.warnings if (each["event"], each["name"]) == ("promotion_decided", name)]

    if asked["asked"] == "yes":
        until(told_since, f"what is told of the decision about {name}")
    told = told_since()
    assert len(told) == (asked["asked"] == "yes"), "one of each decision that a notice of the end could not tell"
    stack = application.stack
    folder = RunFolder(stack.aws.client("s3"), stack.outputs["RunsBucketName"], run_id)
    (decision,) = told_decisions(folder)
    assert decision["what"] == {"done": "approved" if told else "promoted"}.get(outcome, outcome)
    assert [each["decisions"] for each in told] == [[decision]] * len(told)


def asked(application: Application, name: str) -> dict[str, Any]:
    """The notice that asks a person."""

    def found() -> list[dict[str, Any]]:
        application.notices_of(name)
        return [each for each in application.warnings if (each["event"], each["name"]) == ("approval_wanted", name)]

    (notice,) = until(found, f"the question whether {name} may be promoted")
    return dict(notice)


def test_a_model_that_passed_the_gate_takes_the_place_and_its_predecessor_is_kept(
    application: Application, tuned_model: str
) -> None:
    place = "/tunedrop/tunedrop/sums/model"
    notice = application.end(start(application, tuned_model, parameter=place))
    told = notice["promotion"]
    assert (told["wanted"], told["done"], told["why_not"], told["parameter"]) == (True, True, None, place)
    assert [(each["what"], each["by"]) for each in told["decisions"]] == [("promoted", "Tunedrop")]
    assert in_place(application, place) == tuned_model
    assert in_place(application, f"{place}/previous") is None  # nothing was replaced

    put(application, place, "the-model-of-last-month")
    name = start(application, tuned_model, parameter=place)
    application.end(name)
    ended(application, name, "done")
    assert in_place(application, place) == tuned_model
    assert in_place(application, f"{place}/previous") == "the-model-of-last-month"

    # The same model again is no successor of its own.
    application.end(start(application, tuned_model, parameter=place))
    assert in_place(application, f"{place}/previous") == "the-model-of-last-month"

    roll_back(application, place)
    assert in_place(application, place) == "the-model-of-last-month"


def in_a_shell(application: Application, command: str) -> bool:
    """Run a command of AWS's CLI as a person would; False where this machine has no CLI."""
    cli = shutil.which("aws")
    if cli is None or subprocess.run([cli, "--version"], capture_output=True, check=False).returncode:
        return False
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": application.stack.aws.endpoint,
        "AWS_DEFAULT_REGION": application.stack.region,
        "NO_PROXY": "127.0.0.1,localhost",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return True


def roll_back(application: Application, place: str) -> None:
    """The one command, in a shell; without the AWS CLI, what the command does."""
    if not in_a_shell(application, ROLLBACK.format(name=place)):
        put(application, place, in_place(application, f"{place}/previous") or "")


def test_a_model_that_is_not_better_enough_is_not_promoted_and_the_notice_says_why(
    application: Application, tuned_model: str
) -> None:
    place = "/tunedrop/tunedrop/no-better/model"
    put(application, place, "the-good-one")
    notice = application.end(start(application, tuned_model, 0.99, parameter=place, approval=True))
    assert notice["promotion"]["wanted"]
    assert not notice["promotion"]["done"]
    assert notice["promotion"]["why_not"] == "the verdict is tied, and Tunedrop promotes only an improved model"
    assert in_place(application, place) == "the-good-one"
    assert application.record(notice["name"]).promotion is None  # nobody was asked


def test_a_parameter_that_cannot_be_written_fails_no_run(application: Application, tuned_model: str) -> None:
    place = "/tunedrop/tunedrop/locked/model"
    refusal = CallRefused("AccessDeniedException", "not yours")
    application.stack.aws.calls.refuse("ssm", "PutParameter", refusal, times=100)
    name = start(application, tuned_model, parameter=place)
    notice = application.end(name)
    assert notice["status"] == "SUCCEEDED"
    assert not notice["promotion"]["done"]
    assert f"the parameter {place} could not be written" in notice["promotion"]["why_not"]
    ended(application, name, "failed")


@pytest.mark.parametrize(("word", "outcome"), [(True, "done"), (False, "rejected")], ids=["approved", "rejected"])
def test_a_person_is_asked_after_the_notice_and_what_they_say_is_done(
    application: Application, tuned_model: str, word: bool, outcome: str
) -> None:
    place = f"/tunedrop/tunedrop/asked/{outcome}"
    put(application, place, "the-one-before")
    name = start(application, tuned_model, parameter=place, approval=True)
    notice = application.end(name)  # it does not wait for the person
    assert notice["status"] == "SUCCEEDED"
    assert not notice["promotion"]["done"]
    assert "a person's approval" in notice["promotion"]["why_not"]
    question = asked(application, name)
    assert (question["parameter"], question["tuned_model"]) == (place, tuned_model)
    record = until(lambda: (run := application.record(name)).approval_token and run, "the wait for a person")
    assert record.promotion == "waiting"
    assert in_place(application, place) == "the-one-before"

    approve, reject = (each["command"] for each in question["commands"])
    if not in_a_shell(application, approve if word else reject):
        promotion.decide(record, application.states, approved=word, by="someone")
    ended(application, name, outcome)
    assert in_place(application, place) == (tuned_model if word else "the-one-before")
    assert in_place(application, f"{place}/previous") == ("the-one-before" if word else None)
    with pytest.raises(promotion.NoApprovalWanted):
        promotion.decide(record, application.states, approved=True, by="someone else, later")


def test_silence_means_not_promoted(application: Application, tuned_model: str) -> None:
    place = "/tunedrop/tunedrop/silence/model"
    name = start(application, tuned_model, parameter=place, approval=True, approval_hours=2 / 3600)
    notice = application.end(name)
    assert notice["status"] == "SUCCEEDED"
    asked(application, name)
    ended(application, name, "expired")
    assert in_place(application, place) is None
