"""What ended runs left behind is deleted only after it was announced, once, and never what somebody still needs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.in_prove import a_third_in_each_run
from tests.unit.retention.old_runs import ALL, NOVA, Stack, all_of
from tests.unit.states.simulated_service import Clock, Killed, once
from tunedrop import clock as tunedrop_clock
from tunedrop.notices.deletion import announcement
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import RecipeInvalid, RunNotFound, Status
from tunedrop.retention import sweep as sweeping
from tunedrop.retention.deletion import Deletion
from tunedrop.retention.rules import FIELDS, Retention, RetentionInvalid, why_kept
from tunedrop.retention.sweep import RetentionSweep
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.uses import note_use
from tunedrop.training.backend import Busy

NOW = "2026-01-01T00:00:00.000Z"


A_RUN = RunRecord(
    run_id="run",
    name="run",
    execution_arn="arn",
    status=Status.SUCCEEDED,
    started_at=NOW,
    updated_at=NOW,
    source={"kind": "upload"},
    train=PinnedObject("drop", "inbox/run/train.jsonl", "v1", 1),
    recipe_document={"model": "openai.gpt-oss-20b"},
)


@pytest.fixture
def stack(aws: None, monkeypatch: pytest.MonkeyPatch) -> Stack:
    clock = Clock()
    monkeypatch.setattr(tunedrop_clock, "now", clock.now)
    monkeypatch.setenv("NOTICES_TOPIC", "topic")
    return Stack(clock)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "expected JSON"),
        ("[]", "an object with some of"),
        ('{"days": 3}', "an object with some of"),
        ('{"models_days": 0}', "Retention.models_days: expected 1 to 36500 days, got 0"),
        ('{"notice_days": "7"}', "Retention.notice_days"),
        ('{"datasets_days": true}', "Retention.datasets_days"),
        ('{"runs_days": 29}', "Retention.runs_days: expected 30"),
        ('{"runs_days": 30, "models_days": 30}', "Retention.runs_days: it needs `training_files_days`"),
        (
            '{"runs_days": 30, "training_files_days": 30, "models_days": 31}',
            "Retention.models_days: 31 days are more than the 30 of `runs_days`",
        ),
        ('{"models_days": NaN}', "Retention.models_days"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused_by_its_field(text: str, told: str) -> None:
    with pytest.raises(RetentionInvalid) as refused:
        Retention.parse(text)
    assert told in str(refused.value)


def test_without_a_figure_everything_is_kept(stack: Stack) -> None:
    stack.ended("old", model=NOVA, days_ago=3000)
    for retention in ("{}", '{"notice_days": 1}'):
        stack.sweep(retention)
        stack.days(30)
    assert stack.left() == all_of("old")
    assert stack.notices.published == []


def test_what_is_old_is_announced_to_its_team_and_deleted_when_the_notice_said(stack: Stack) -> None:
    stack.ended("red-1", team="red", days_ago=100)
    stack.ended("red-2", team="red", days_ago=100)
    stack.ended("blue-1", team="blue", model=NOVA, days_ago=100)
    stack.ended("young", team="blue")
    before = stack.left()
    stack.sweep()
    assert sorted(str(each["team"]) for each in stack.notices.published) == ["blue", "red"]
    stack.days(4)
    stack.sweep()
    assert stack.left() == before
    told = dict(stack.notices.told)
    stack.days(1)
    stack.sweep()
    assert "model blue-1" in stack.left(), "its deployment goes first"
    stack.sweep()
    # An open-weight model stays, as no call deletes it; a Nova run's file is in its folder.
    kept = {"model red-1", "model red-2", "file blue-1"}
    assert stack.left() - kept == {each for each in before if "young" in each}
    trail = stack.trail()
    for run_id, kinds in {"red-1": 3, "red-2": 3, "blue-1": 3}.items():
        whats = {kind: at for (about, kind), at in told.items() if about == run_id}
        assert len(whats) == kinds
        assert all(trail[f"{run_id}-{kind}_deleted"] >= at.replace(":", "")[:-1] for kind, at in whats.items())
        assert f"{run_id}-deletion_announced" in trail


@pytest.mark.parametrize(("kind", "days"), [("dataset", 10), ("training_file", 20), ("run", 40)])
def test_each_kind_is_announced_and_deleted_by_its_own_days(kind: str, days: int) -> None:
    end = datetime(2026, 1, 1, tzinfo=UTC)
    record = replace(A_RUN, finished_at=NOW, notified_at=NOW, file_id="file-1")
    retention = Retention.parse(ALL)

    def after(number: float) -> datetime:
        return end + timedelta(days=number)

    assert kind not in retention.to_announce(record, after(days - 5.01))
    due = retention.to_announce(record, after(days - 4))[kind]
    assert due == tunedrop_clock.text(after(days + 1)), "five days after the notice, however late it comes"
    record = replace(record, retention={kind: f"announced {due}"})
    assert kind not in retention.to_announce(record, after(days))
    assert retention.to_delete(record, after(days + 0.99)) == []
    assert retention.to_delete(record, after(days + 1)) == [kind]
    longer = Retention({**retention.days, kind: days + 10})
    assert longer.to_delete(record, after(days + 9)) == [], "the figure of today counts, not that of the notice"
    assert Retention({}).to_delete(record, after(1000)) == []
    assert retention.to_delete(replace(record, notified_at=None), after(1000)) == []


@pytest.mark.prove
def test_each_kind_has_its_own_days(stack: Stack) -> None:
    stack.ended("run")
    gone = []
    before = stack.left()
    for day in range(1, 46):
        stack.days(0.5)
        stack.sweep()
        stack.days(0.25)
        gone += [(day, each) for each in sorted(before - stack.left())]
        before = stack.left()
    days = {each: day for day, each in gone}
    assert days["run/train.jsonl"] == days["run/test.jsonl"] == 11
    assert days["file run"] == 21
    assert days["record run"] == days["folder run"] == days["events run"] == 41


def test_what_speaks_for_keeping_a_run_is_said() -> None:
    promoted = frozenset({"model-1", "deployment-1"})
    assert why_kept(A_RUN, promoted) is None
    assert why_kept(replace(A_RUN, tuned_model="model-2"), promoted) is None
    for kept in (
        {"tuned_model": "model-1"},
        {"asked_as": "deployment-1"},
        {"keep": "yes"},
        {"promotion": "waiting"},
        {"recipe_document": {"labels": {"keep": ""}}},
    ):
        assert why_kept(replace(A_RUN, **kept), promoted)


NEVER: dict[str, Callable[[Stack, RunRecord], Any]] = {
    "its model is promoted": lambda stack, run: stack.promote("red/model", str(run.tuned_model)),
    "its model is what was replaced": lambda stack, run: stack.promote("model/previous", str(run.tuned_model)),
    "its deployment is promoted": lambda stack, run: stack.promote("model", "deployment-9"),
    "its record has the mark": lambda stack, run: stack.runs.update_if(run.run_id, {"keep": "yes"}, ALWAYS),
    "its promotion waits": lambda stack, run: stack.runs.update_if(run.run_id, {"promotion": "waiting"}, ALWAYS),
    "another run uses it": lambda stack, run: note_use("young", [run], stack.runs),
}
ALWAYS = "attribute_exists(run_id)"


@pytest.mark.parametrize("why", a_third_in_each_run(NEVER))
@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.prove), "after"])
def test_nothing_of_a_run_is_deleted_while(stack: Stack, why: str, when: str) -> None:
    record = stack.ended("old", model=NOVA, days_ago=100, asked_as="deployment-9")
    stack.ended("young")
    if when == "after":
        stack.sweep()
        assert stack.notices.told
    NEVER[why](stack, record)
    for _ in range(3):
        stack.sweep()
        stack.days(6)
    assert all_of("old") <= stack.left()
    assert any(run_id == "old" for run_id, _ in stack.notices.told) == (when == "after")


@pytest.mark.prove
def test_a_label_keeps_a_run(stack: Stack) -> None:
    recipe = {**(stack.ended("none").recipe_document or {}), "labels": {"keep": "for the auditors"}}
    stack.ended("old", days_ago=100, recipe_document=recipe)
    for _ in range(2):
        stack.sweep()
        stack.days(6)
    assert all_of("old") <= stack.left()


@pytest.mark.prove
def test_the_run_that_was_taken_over_keeps_what_both_have(stack: Stack) -> None:
    old = stack.ended("old", days_ago=100, keep="yes")
    recipe = {**(old.recipe_document or {}), "resumes": "old"}
    stack.ended("later", days_ago=90, recipe_document=recipe, file_id=old.file_id, tuned_model=old.tuned_model)
    for _ in range(2):
        stack.sweep()
        stack.days(6)
    assert all_of("old") <= stack.left()


def test_a_model_that_the_run_only_tested_is_not_its_own(stack: Stack) -> None:
    stack.ended("maker", model=NOVA)
    stack.ended("tester", model=NOVA, days_ago=100, tuned_model="model-of-maker")
    for _ in range(3):
        stack.sweep('{"models_days": 30, "notice_days": 1}')
        stack.days(2)
    assert "model maker" in stack.left()


@pytest.mark.prove
def test_who_used_a_run_keeps_it_until_he_is_deleted_himself(stack: Stack) -> None:
    old = stack.ended("old", days_ago=100)
    stack.ended("user", days_ago=50)
    note_use("user", [old], stack.runs)
    for _ in range(4):
        stack.sweep()
        stack.days(6)
    assert not [each for each in stack.left() if "record" in each or "folder" in each]


def test_a_run_that_is_being_deleted_cannot_be_used(stack: Stack) -> None:
    old = stack.ended("old", days_ago=100, retention={"run": f"deleting {NOW}"})
    with pytest.raises(RecipeInvalid, match="run old, whose model this run would use"):
        note_use("new", [old], stack.runs)


@pytest.mark.prove
def test_a_file_that_a_later_drop_uses_stays_until_that_one_is_old(stack: Stack) -> None:
    stack.ended("set", days_ago=100)
    later = stack.drop("set", "train.jsonl", "other rows")
    for _ in range(2):
        stack.sweep('{"datasets_days": 30, "notice_days": 1}')
        stack.days(2)
    versions = stack.s3.list_object_versions(Bucket="drop")["Versions"]
    assert [each["VersionId"] for each in versions if each["Key"] == later.key] == [later.version_id]
    assert "set/test.jsonl" in stack.left()


def test_a_file_that_a_run_still_reads_stays(stack: Stack) -> None:
    old = stack.ended("old", days_ago=100)
    active = replace(old, run_id="active", status=Status.RUNNING, notice=None, notified_at=None, unfinished="yes")
    stack.runs.register(active)
    for _ in range(2):
        stack.sweep('{"datasets_days": 30, "notice_days": 1}')
        stack.days(2)
    assert "old/train.jsonl" in stack.left()
    stack.runs.update_if("active", {"unfinished": None}, ALWAYS)
    stack.sweep('{"datasets_days": 30, "notice_days": 1}')
    assert "old/train.jsonl" not in stack.left()


@pytest.mark.prove
def test_what_cannot_be_deleted_is_told_and_keeps_nothing_else_from_it(stack: Stack) -> None:
    stack.ended("a", days_ago=100)
    stack.ended("b", days_ago=100)
    stack.sweep()
    stack.days(6)
    refused = [True]

    def fault(call: str, when: str) -> None:
        if call == "delete_file" and when == "before" and refused:
            refused.clear()
            raise ConnectionError("reset")

    stack.service.fault = fault
    with pytest.raises(ConnectionError):  # no trouble that a service is known to make
        stack.sweep()
    stack.sweep()
    stack.sweep()
    assert not [each for each in stack.left() if each.startswith(("file", "record"))]


def test_a_notice_of_as_many_runs_as_there_may_be_is_not_cut() -> None:
    records = [
        RunRecord(f"{'n' * 60}-{number:016x}", "名" * 500, "arn", Status.FAILED, NOW, NOW, finished_at=NOW)
        for number in range(sweeping.MOST_ANNOUNCED)
    ]
    due = {record.run_id: dict.fromkeys(FIELDS, "2026-02-01T00:00:00.000Z") for record in records}
    document = document_of(
        announcement("t" * 60, records, due, runs_table="table", runs_bucket="bucket", region="us-west-2")
    )
    assert [each["run_id"] for each in document["runs"]] == [record.run_id for record in records]
    assert all(len(each["deletes"]) == len(FIELDS) for each in document["runs"])
    assert all(record.run_id in document["commands"][0]["command"] for record in records)


@pytest.mark.prove
def test_a_sweep_is_bounded_and_the_next_one_goes_on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "MOST_ANNOUNCED", 2)
    monkeypatch.setattr(sweeping, "MOST_DELETED", 2)
    monkeypatch.setattr(sweeping, "PAGE", 2)
    names = [f"run-{number}" for number in range(5)]
    for name in names:
        stack.ended(name, days_ago=100)
    stack.sweep('{"training_files_days": 9, "notice_days": 1}')
    assert len(stack.notices.told) == 2
    for _ in range(12):
        before = len(stack.left())
        stack.sweep('{"training_files_days": 9, "notice_days": 1}')
        assert before - len(stack.left()) <= 2
        stack.days(1)
    assert len(stack.notices.told) == len(stack.notices.published[0]["runs"]) + 3
    assert not [each for each in stack.left() if each.startswith("file")]


def killed_at_random(stack: Stack, seed: int, sweeps: int = 120) -> None:
    """Sweeps whose process is killed before or after any call, until nothing is left to do."""
    chance = random.Random(seed)
    names = ["a", "b", "nova"]
    for name in names:
        stack.ended(name, team=chance.choice([None, "red"]), model=NOVA if name == "nova" else "", days_ago=100)
    kept = {"model a", "model b", "file nova"}
    deaths = [40]

    def die(*_: object, **__: object) -> None:
        if deaths[0] and chance.random() < 0.08:
            deaths[0] -= 1
            raise Killed

    for client in (stack.dynamodb, stack.s3, stack.ssm):
        client.meta.events.register("before-call.*.*", die)
        client.meta.events.register("after-call.*.*", die)
    stack.service.fault = die
    for _ in range(sweeps):
        stack.days(60 / sweeps)
        try:
            stack.sweep()
        except Killed:
            continue
    deaths[0] = 0
    stack.sweep()
    assert stack.left() == kept
    told: dict[str, set[str]] = {}
    for document in stack.notices.published:
        for run in document["runs"]:
            for each in run["deletes"]:
                told.setdefault(f"{run['run_id']}/{each['what']}", set()).add(document["notice_id"])
    assert len(told) == 9
    assert all(len(notices) == 1 for notices in told.values()), "announced by two notices"
    trail = stack.trail()
    for about, at in stack.notices.told.items():
        assert trail["-".join(about) + "_deleted"] >= at.replace(":", "")[:-1]
    for name in names:
        with pytest.raises(RunNotFound):
            stack.runs.load(name)


def test_a_sweep_that_is_killed_anywhere_tells_once_and_deletes_once(stack: Stack) -> None:
    killed_at_random(stack, 1, sweeps=50)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(2, 22))
def test_sweeps_that_are_killed_anywhere_tell_once_and_delete_once(stack: Stack, seed: int) -> None:
    killed_at_random(stack, seed)


def test_what_the_service_refuses_to_delete_is_told_and_deleted_by_a_later_sweep(stack: Stack) -> None:
    stack.ended("a", days_ago=100)
    stack.sweep('{"training_files_days": 9, "notice_days": 1}')
    stack.days(2)
    stack.service.fault = once("delete_file", "before", Busy("HTTP 429"))
    troubles = stack.sweep('{"training_files_days": 9, "notice_days": 1}')
    assert troubles == ["the training_file of run a could not be deleted: HTTP 429"]
    assert "file a" in stack.left()
    assert stack.sweep('{"training_files_days": 9, "notice_days": 1}') == []
    assert "file a" not in stack.left()


def test_a_model_whose_maker_s_record_is_gone_was_made_by_no_run(stack: Stack) -> None:
    stack.ended("a")
    assert stack.models.maker("model-of-a") is not None
    stack.runs.forget("a", "run_id = :id", {":id": "a"})
    assert stack.models.maker("model-of-a") is None


def test_a_run_s_deployment_goes_with_its_record_and_files_elsewhere_stay(stack: Stack) -> None:
    old = stack.ended("a", days_ago=100, deploying_at=NOW)
    deletion = Deletion(stack.resources())
    assert (deletion.of(old, "run") or "").startswith("3 objects of its folder")
    assert "a" not in stack.service.deployed
    elsewhere = replace(old, train=PinnedObject("another-bucket", "train.jsonl", "v1", 1))
    assert deletion.of(elsewhere, "dataset") == ""


def test_a_pass_that_has_ended_is_not_begun_again_before_the_next_is_due(stack: Stack) -> None:
    stack.ended("a", days_ago=100)
    stack.sweep()
    stack.ended("b", days_ago=100)
    told = dict(stack.notices.told)
    RetentionSweep(Retention.parse(ALL), stack.resources()).run()
    assert stack.notices.told == told
    stack.sweep()
    assert {run_id for run_id, _ in stack.notices.told} == {"a", "b"}


def test_a_run_whose_user_is_still_there_is_kept_and_one_whose_user_is_gone_is_not(stack: Stack) -> None:
    sweep = RetentionSweep(Retention.parse(ALL), stack.resources())
    stack.ended("user")
    assert not sweep._may_go(stack.ended("old", used_by=["user"]))
    assert sweep._may_go(stack.ended("older", used_by=["gone"]))


def test_what_somebody_wants_kept_at_the_last_moment_is_kept(stack: Stack) -> None:
    seen = stack.ended("a", days_ago=100)
    stack.runs.update_if("a", {"keep": "yes"}, ALWAYS)
    sweep = RetentionSweep(Retention.parse(ALL), stack.resources())
    assert sweep._tried(seen, "training_file") is None
    assert sweep.run() == []
    assert all_of("a") <= stack.left()


def test_a_model_of_a_base_that_the_catalog_no_longer_has_is_not_deleted() -> None:
    gone = {"model": "openai.gone-1b"}
    record = replace(A_RUN, recipe_document=gone, tuned_model="m", finished_at=NOW, notified_at=NOW)
    retention = Retention.parse('{"models_days": 1, "notice_days": 1}')
    assert retention.to_announce(record, datetime(2027, 1, 1, tzinfo=UTC)) == {}
