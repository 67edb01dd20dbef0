"""PromoteModel: exactly one model takes the place, and the id that it replaced is kept, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.unit.promoting import promoting, report
from tunedrop.notices import of_run
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import ServiceBusy, Status
from tunedrop.recipe import Promotion, Recipe
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import EvaluationResult
from tunedrop.states import promote_model
from tunedrop.states.conclude_run import instructions

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

RUN = "gsm8k-1"
PLACE = "/tunedrop/tunedrop/gsm8k/model"
MODEL = "the-tuned-model"
NOBODY = "nobody was asked"
IMPROVED = {"verdict": "improved", "difference": 0.3, "rows": 100, "suspected_reward_hacking": False}


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def stack(runs_table: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Resources, list[dict[str, Any]]]:
    return promoting(runs_table, monkeypatch)


@pytest.fixture
def resources(stack: tuple[Resources, list[dict[str, Any]]]) -> Resources:
    return stack[0]


@pytest.fixture
def sent(stack: tuple[Resources, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The notices after the run's own."""
    return stack[1]


def close(resources: Resources, *, verdict: str = "improved", notified: bool = False, **wanted: Any) -> RunRecord:
    """A run that has ended well and wants its model in the place."""
    recipe = Recipe(model="openai.gpt-oss-20b", promotion=Promotion(parameter=PLACE, **wanted))
    record = RunRecord(
        run_id=RUN,
        name="gsm8k",
        execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
        status=Status.RUNNING,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        recipe_document=recipe.model_dump(mode="json"),
        tuned_model=MODEL,
        evaluation=EvaluationResult({**IMPROVED, "verdict": verdict}),
    )
    resources.runs.register(record)
    report(resources, record)
    closing = of_run.closing(record, Status.SUCCEEDED, None, report_uri=None)
    resources.runs.close(RUN, {**closing, **({"notified_at": "2026-01-01T01:00:00.000Z"} if notified else {})})
    return resources.runs.load(RUN)


def promote(resources: Resources, word: str = NOBODY) -> str:
    return promote_model.run({"run_id": RUN, "word": word}, resources).decision


def put(ssm: SSMClient, value: str, name: str = PLACE) -> None:
    ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def value(ssm: SSMClient, name: str = PLACE) -> str | None:
    found = ssm.get_parameters(Names=[name])["Parameters"]
    return found[0]["Value"] if found else None


def places(resources: Resources) -> tuple[str | None, str | None]:
    """The id in the place, and the id that is kept."""
    return value(resources.ssm), value(resources.ssm, f"{PLACE}/previous")


def standing(resources: Resources) -> dict[str, Any]:
    """What the saved notice says of the promotion."""
    notice = resources.runs.load(RUN).notice
    assert notice is not None
    found: dict[str, Any] = document_of(notice)["promotion"]
    return found


@contextmanager
def after(client: Any, call: str, number: int, act: Callable[[], None]) -> Iterator[None]:
    """Do something after the n-th call of an operation, before its caller has the answer."""
    seen = 0

    def count(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            act()

    client.meta.events.register(f"after-call.*.{call}", count)
    yield
    client.meta.events.unregister(f"after-call.*.{call}", count)


def die() -> None:
    raise Killed


def test_a_first_model_takes_the_place_and_nothing_is_kept(resources: Resources) -> None:
    close(resources)
    assert standing(resources)["done"] is False, "until it is done, the notice says that it is not"
    assert promote(resources) == "done"
    assert places(resources) == (MODEL, None)
    told = standing(resources)
    assert (told["wanted"], told["done"], told["why_not"], told["parameter"]) == (True, True, None, PLACE)
    assert resources.runs.load(RUN).promotion == "done"


def test_the_model_that_is_replaced_is_kept(resources: Resources) -> None:
    put(resources.ssm, "the-old-model")
    close(resources)
    promote(resources)
    assert places(resources) == (MODEL, "the-old-model")


def test_a_second_time_changes_nothing(resources: Resources) -> None:
    put(resources.ssm, "the-old-model")
    close(resources)
    first = promote_model.run({"run_id": RUN, "word": NOBODY}, resources)
    put(resources.ssm, "the-next-model")
    again = promote_model.run({"run_id": RUN, "word": NOBODY}, resources)
    assert again.output() == first.output()
    assert places(resources) == ("the-next-model", "the-old-model")


@pytest.mark.parametrize("writes", [1, 2])
def test_killed_after_any_write_of_a_parameter_it_ends_as_if_it_had_not_been(resources: Resources, writes: int) -> None:
    put(resources.ssm, "the-old-model")
    close(resources)
    with after(resources.ssm, "PutParameter", writes, die), pytest.raises(Killed):
        promote(resources)
    assert promote(resources) == "done"
    assert places(resources) == (MODEL, "the-old-model")
    assert standing(resources)["done"]


@pytest.mark.parametrize("writes", [1, 2])
def test_killed_after_any_write_of_the_record_it_ends_as_if_it_had_not_been(resources: Resources, writes: int) -> None:
    put(resources.ssm, "the-old-model")
    close(resources)
    with after(resources.dynamodb, "UpdateItem", writes, die), pytest.raises(Killed):
        promote(resources)
    assert promote(resources) == "done"
    assert places(resources) == (MODEL, "the-old-model")


def test_a_model_that_came_after_ours_keeps_the_place_when_ours_is_tried_again(resources: Resources) -> None:
    close(resources)
    with after(resources.ssm, "PutParameter", 1, die), pytest.raises(Killed):
        promote(resources)
    put(resources.ssm, MODEL, f"{PLACE}/previous")
    put(resources.ssm, "the-next-model")
    assert promote(resources) == "done"
    assert places(resources) == ("the-next-model", MODEL)


def test_a_model_that_came_between_the_look_and_the_write_is_the_one_that_is_kept(resources: Resources) -> None:
    put(resources.ssm, "the-old-model")
    close(resources)
    # The first write keeps the old model; then another run's model takes the place, and ours replaces that one.
    with after(resources.ssm, "PutParameter", 1, lambda: put(boto3.client("ssm"), "of-another-run")):
        promote(resources)
    assert places(resources) == (MODEL, "of-another-run")


def test_the_model_that_holds_the_place_already_is_not_its_own_predecessor(resources: Resources) -> None:
    put(resources.ssm, "the-old-model")
    put(resources.ssm, MODEL)
    put(resources.ssm, "the-older-model", f"{PLACE}/previous")
    close(resources)
    assert promote(resources) == "done"
    assert places(resources) == (MODEL, "the-older-model")


@pytest.mark.parametrize(("word", "decision"), [("approved", "done"), ("rejected", "rejected"), ("expired", "expired")])
def test_where_a_person_is_asked_their_word_decides(resources: Resources, word: str, decision: str) -> None:
    put(resources.ssm, "the-old-model")
    close(resources, notified=True, approval=True)
    resources.runs.update_if(RUN, {"promotion": "waiting", "approval_token": "token"}, "attribute_exists(run_id)")
    told = standing(resources)
    assert promote(resources, word) == decision
    record = resources.runs.load(RUN)
    assert (record.promotion, record.approval_token) == (decision, None)
    assert places(resources) == ((MODEL, "the-old-model") if word == "approved" else ("the-old-model", None))
    assert standing(resources) == told, "the notice is out: it stays as it was"


def test_without_the_persons_word_nothing_is_written(resources: Resources) -> None:
    close(resources, notified=True, approval=True)
    assert promote(resources) == "nothing"
    assert places(resources) == (None, None)


def test_a_model_that_is_no_better_is_not_promoted_by_any_call(resources: Resources) -> None:
    close(resources, verdict="tied")
    assert promote(resources, "approved") == "nothing"
    assert places(resources) == (None, None)
    assert instructions(resources.runs.load(RUN), runs_table="runs") == {"wanted": False, "approval": False}


def refuse(resources: Resources, monkeypatch: pytest.MonkeyPatch, code: str, status: int = 400) -> None:
    answer: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }

    def put_parameter(**_: Any) -> None:
        raise resources.ssm.exceptions.ClientError(answer, "PutParameter")

    monkeypatch.setattr(resources.ssm, "put_parameter", put_parameter)


def test_a_parameter_that_may_not_be_written_fails_no_run_and_the_notice_says_why(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(resources)
    refuse(resources, monkeypatch, "AccessDeniedException")
    assert promote(resources) == "failed"
    told = standing(resources)
    assert not told["done"]
    assert told["why_not"].startswith(f"the parameter {PLACE} could not be written: ")
    assert "AccessDeniedException" in told["why_not"]


def test_a_parameter_that_somebody_else_writes_at_this_moment_is_tried_again(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(resources)
    refuse(resources, monkeypatch, "TooManyUpdates")
    with pytest.raises(ServiceBusy):
        promote(resources)
    assert resources.runs.load(RUN).promotion is None


def test_a_fault_of_parameter_store_that_passes_ends_no_promotion(resources: Resources) -> None:
    close(resources)
    fault = ClientError({"Error": {"Code": "InternalServerError"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "P")  # type: ignore[typeddict-item] # its other members are of no use here
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(promote_model, "_promote", raiser(fault))
        with pytest.raises(ClientError):
            promote(resources)
    assert resources.runs.load(RUN).promotion is None
    assert promote(resources) == "done"


def raiser(error: Exception) -> Callable[..., None]:
    def fail(*_: Any) -> None:
        raise error

    return fail


def test_of_two_promotions_of_one_run_at_once_both_go_by_the_first_one_s_look(resources: Resources) -> None:
    put(resources.ssm, "the-one-before")
    stale = close(resources)
    assert promote_model._noted(resources, stale, 1) == 1
    assert promote_model._noted(resources, stale, 2) == 1, "the second one read the record before the first wrote"


def test_of_two_ends_of_a_promotion_the_first_one_counts(resources: Resources) -> None:
    stale = close(resources)
    assert promote(resources) == "done"
    ended = promote_model._ended(resources, stale, "rejected", "too late")
    assert (ended.decision, resources.runs.load(RUN).promotion) == ("done", "done")
