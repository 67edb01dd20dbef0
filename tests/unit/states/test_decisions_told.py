"""Who decided what about a promotion, when and why: in the record, the run's files and one notice, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.told_decisions import files, told_decisions
from tests.unit.promoting import STACK, promoting, report
from tunedrop.api.views import run_document
from tunedrop.notices import of_run
from tunedrop.notices.publication import document_of
from tunedrop.outcomes import ServiceBusy, Status
from tunedrop.recipe import Promotion, Recipe
from tunedrop.reporting import decision
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.run.folder import FileChanged, RunFolder
from tunedrop.run.promotion import NoApprovalWanted, note_roll_back, note_word
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import EvaluationResult
from tunedrop.states import promote_model
from tunedrop.states.conclude_run import instructions

RUN, PLACE, MODEL = "red-1", f"{STACK}/model", "the-tuned-model"
LEAD = "arn:aws:iam::123456789012:role/red-lead"
HOSTILE = "better <script>alert(1)</script> <!-- end of promotion --> | # x\n\x1b[31m"
FILES = (names.REPORT, names.REPORT_PAGE, names.MODEL_CARD, names.AUDIT_MANIFEST)
ENOUGH = {"asked": "no", "why": "the lower end is +0.200, at least 0.05, and no guard rail moved"}
LITTLE = {"asked": "yes", "why": "the lower end is +0.020, below 0.05"}


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


def ended(resources: Resources, asked: dict[str, str], **more: Any) -> RunRecord:
    """A run of a team with a rule that ended well; if a person is asked, it has told so and waits."""
    recipe = Recipe(model="openai.gpt-oss-20b", promotion=Promotion(parameter=PLACE))
    record = RunRecord(
        run_id=RUN,
        name="red",
        execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
        status=Status.RUNNING,
        started_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        recipe_document=recipe.model_dump(mode="json"),
        tuned_model=MODEL,
        governed="yes",
        approval_rule={"below": 0.05, "guard_rails": True},
        approval_asked=asked,
        evaluation=EvaluationResult({"verdict": "improved", "difference": 0.3, "rows": 100}),
        **more,
    )
    resources.runs.register(record)
    report(resources, record)
    resources.runs.close(RUN, of_run.closing(record, Status.SUCCEEDED, None, report_uri=None))
    if asked["asked"] == "yes":
        waits = {"notified_at": "2026-01-01T01:00:00.000Z", "promotion": "waiting", "approval_token": "token"}
        resources.runs.update_if(RUN, waits, "attribute_exists(run_id)")
    return resources.runs.load(RUN)


def promote(resources: Resources, word: str = "nobody was asked") -> str:
    return promote_model.run({"run_id": RUN, "word": word}, resources).decision


def said(resources: Resources, *, approved: bool, reason: str = "checked by hand") -> None:
    note_word(resources.runs.load(RUN), resources.runs, approved=approved, by=LEAD, reason=reason)


def in_place(resources: Resources) -> str | None:
    found = resources.ssm.get_parameters(Names=[PLACE])["Parameters"]
    return found[0]["Value"] if found else None


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


def test_without_a_person_the_run_s_own_notice_and_its_files_say_why(resources: Resources, sent: list[Any]) -> None:
    record = ended(resources, ENOUGH)
    assert instructions(record, runs_table="runs") == {"wanted": True, "approval": False}
    assert promote(resources) == "done"
    (told,) = told_decisions(resources.folder(RUN))
    assert (told["what"], told["by"], told["reason"]) == ("promoted", "Tunedrop", f"nobody was asked: {ENOUGH['why']}")
    record = resources.runs.load(RUN)
    assert told["at"] == record.promoted_at
    assert record.notice is not None
    assert document_of(record.notice)["promotion"]["decisions"] == [told]
    assert sent == [], "the run's own notice has it"


def test_where_the_rule_asks_nothing_is_promoted_without_the_word(resources: Resources) -> None:
    record = ended(resources, LITTLE)
    assert instructions(record, runs_table="runs")["approval"] is True
    assert promote(resources) == "nothing"
    assert promote(resources, "approved") == "rejected", "an answer past the API"
    assert in_place(resources) is None
    (told,) = told_decisions(resources.folder(RUN))
    assert (told["what"], told["by"]) == ("not_promoted", "Tunedrop")
    assert "through the API" in told["reason"]


@pytest.mark.parametrize(("approved", "outcome"), [(True, "done"), (False, "rejected")])
def test_a_person_s_word_is_told_once_with_who_when_and_why(
    resources: Resources, sent: list[Any], approved: bool, outcome: str
) -> None:
    ended(resources, LITTLE)
    said(resources, approved=approved)
    for _ in range(2):
        assert promote(resources, "approved" if approved else "rejected") == outcome
    (told,) = told_decisions(resources.folder(RUN))
    word = "approved" if approved else "rejected"
    assert (told["what"], told["by"], told["reason"]) == (word, LEAD, "checked by hand")
    (notice,) = sent
    assert (notice["event"], notice["outcome"], notice["decisions"]) == ("promotion_decided", outcome, [told])
    assert notice["approval"] == {"asked": True, "why": LITTLE["why"]}
    assert notice["in_place"] == (MODEL if approved else None)
    assert all(part in notice["headline"] for part in (LEAD, "checked by hand", PLACE))
    assert in_place(resources) == (MODEL if approved else None)
    record = resources.runs.load(RUN)
    shown = run_document(record, [], resources.settings)["promotion"]
    assert (shown["asked"], shown["asked_why"], shown["decisions"]) == (True, LITTLE["why"], [told])
    own = record.notice
    assert own is not None
    assert document_of(own)["notice_id"] != notice["notice_id"]


def test_silence_is_told_as_what_it_is(resources: Resources, sent: list[Any]) -> None:
    ended(resources, LITTLE)
    assert promote(resources, "expired") == "expired"
    (told,) = told_decisions(resources.folder(RUN))
    assert (told["what"], told["by"], told["reason"]) == ("expired", "Tunedrop", "nobody answered within 24 hours")
    assert [each["outcome"] for each in sent] == ["expired"]


def test_a_roll_back_adds_its_own_decision_and_notice(resources: Resources, sent: list[Any]) -> None:
    resources.ssm.put_parameter(Name=PLACE, Value="the-one-before", Type="String")
    record = ended(resources, LITTLE)
    said(resources, approved=True)
    promote(resources, "approved")
    note_roll_back(record, resources.runs, by=LEAD, reason="slower")
    for _ in range(2):
        assert promote(resources, "roll_back") == "rolled_back"
    assert [each["what"] for each in told_decisions(resources.folder(RUN))] == ["approved", "rolled_back"]
    assert [each["outcome"] for each in sent] == ["done", "rolled_back"]
    assert sent[1]["in_place"] == "the-one-before"
    assert len({each["notice_id"] for each in sent}) == 2
    assert json.loads(files(resources.folder(RUN))[names.REPORT])["promotion"]["done"] is False


def test_what_a_person_writes_as_the_reason_breaks_out_of_no_file(resources: Resources) -> None:
    ended(resources, LITTLE)
    said(resources, approved=False, reason=HOSTILE)
    promote(resources, "rejected")
    found = files(resources.folder(RUN))
    for name in (names.REPORT_PAGE, names.MODEL_CARD):
        text = found[name].decode()
        assert text.count("<!-- end of promotion -->") == 1
        assert "<script>alert(1)" not in text.replace("\\<", "")
    before = found[names.REPORT_PAGE]
    decision.write_decision(resources.folder(RUN), resources.runs, RUN)
    assert files(resources.folder(RUN))[names.REPORT_PAGE] == before


def test_only_the_part_about_the_promotion_changes(resources: Resources) -> None:
    ended(resources, LITTLE)
    before = files(resources.folder(RUN))
    said(resources, approved=True)
    promote(resources, "approved")
    now = files(resources.folder(RUN))
    for name in (names.REPORT_PAGE, names.MODEL_CARD):
        for part in (0, 1):
            marks = (b"<!-- promotion -->", b"<!-- end of promotion -->")
            assert before[name].split(marks[part])[-part] == now[name].split(marks[part])[-part], name
    documents = [json.loads(each[names.REPORT]) for each in (before, now)]
    assert {**documents[0], "promotion": None} == {**documents[1], "promotion": None}


@pytest.mark.parametrize("writes", range(5, 9))
def test_killed_after_any_write_of_a_file_all_of_them_agree_in_the_end(
    resources: Resources, sent: list[Any], writes: int
) -> None:
    ended(resources, LITTLE)
    said(resources, approved=True)
    # After the four entries of the audit trail.
    with after(resources.s3, "PutObject", writes, die), pytest.raises(Killed):
        promote(resources, "approved")
    assert promote(resources, "approved") == "done"
    assert [each["what"] for each in told_decisions(resources.folder(RUN))] == ["approved"]
    assert len({each["notice_id"] for each in sent}) == 1


def test_killed_after_the_notice_it_is_told_again_under_the_same_id(resources: Resources, sent: list[Any]) -> None:
    ended(resources, LITTLE)
    said(resources, approved=True)
    with after(resources.dynamodb, "UpdateItem", 3, die), pytest.raises(Killed):
        promote(resources, "approved")  # promoting_from, how it ended, that it was told
    for _ in range(2):
        promote(resources, "approved")
    assert len({each["notice_id"] for each in sent}) == 1


def test_written_a_second_time_no_file_is_touched(resources: Resources) -> None:
    ended(resources, ENOUGH)
    promote(resources)
    with after(resources.s3, "PutObject", 1, die):
        decision.write_decision(resources.folder(RUN), resources.runs, RUN)


@pytest.mark.parametrize(("call", "number"), [("PutObject", 4), ("PutObject", 6), ("GetItem", 2)])
def test_a_roll_back_in_the_middle_of_the_writing_has_the_last_word(
    resources: Resources, call: str, number: int
) -> None:
    """After the trail's three entries come the four files, which are read before the record is."""
    resources.ssm.put_parameter(Name=PLACE, Value="the-one-before", Type="String")
    record = ended(resources, ENOUGH)

    def undo() -> None:
        note_roll_back(record, resources.runs, by=LEAD, reason="slower")
        assert promote_model.run({"run_id": RUN, "word": "roll_back"}, resources).decision == "rolled_back"

    client = resources.dynamodb if call == "GetItem" else resources.s3
    with after(client, call, number, undo):
        promote(resources)
    assert [each["what"] for each in told_decisions(resources.folder(RUN))] == ["promoted", "rolled_back"]


def test_files_that_others_change_each_time_are_tried_again_later(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: Any) -> None:
        raise FileChanged("somebody else")

    ended(resources, ENOUGH)
    monkeypatch.setattr(RunFolder, "replace", changed)
    with pytest.raises(ServiceBusy, match="changed by others 5 times"):
        promote(resources)
    monkeypatch.undo()
    monkeypatch.setenv("NOTICES_TOPIC", "topic")
    assert promote(resources) == "done"
    assert len(told_decisions(resources.folder(RUN))) == 1


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_undoes_no_promotion(resources: Resources, name: str) -> None:
    ended(resources, ENOUGH)
    resources.s3.delete_object(Bucket="runs", Key=f"runs/{RUN}/{name}")
    assert promote(resources) == "done"
    assert in_place(resources) == MODEL


def test_files_of_an_earlier_version_get_what_they_have_room_for(resources: Resources) -> None:
    ended(resources, ENOUGH)
    folder = resources.folder(RUN)
    folder.write(names.MODEL_CARD, b"# Model card: red\n\n## Provenance\n", "text/markdown; charset=utf-8")
    folder.write(names.REPORT_PAGE, b"<!doctype html><p>red", "text/html; charset=utf-8")
    promote(resources)
    card, page = folder.read(names.MODEL_CARD), folder.read(names.REPORT_PAGE)
    assert card.startswith(b"# Model card: red\n\n## Provenance\n\n<!-- promotion -->\n\n## Promotion\n")
    assert b"nobody was asked" in card
    assert page == b"<!doctype html><p>red"
    files(resources.folder(RUN))


def test_the_first_of_two_words_at_once_counts(resources: Resources) -> None:
    ended(resources, LITTLE)
    said(resources, approved=False)
    with pytest.raises(NoApprovalWanted):
        said(resources, approved=True)
    assert promote(resources, "approved") == "rejected"
    assert [each["what"] for each in told_decisions(resources.folder(RUN))][:1] == ["rejected"]
    assert in_place(resources) is None
