"""Where a run stands, as the API tells it, and what it answers where a file that it tells of is not as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tunedrop import clock
from tunedrop.api import context, validations
from tunedrop.api.context import MOST_FINDINGS_BYTES, Api
from tunedrop.api.problems import Problem
from tunedrop.api.stopping import stop
from tunedrop.api.validations import LONGEST_SECONDS
from tunedrop.api.views import estimated_training_end, progress
from tunedrop.outcomes import RunFileBroken, RunFileMissing, Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import RehearsalResult, TrainingProgress

BEGAN = "2026-01-01T00:00:00.000Z"
RECORD = RunRecord("sums-1", "sums", "arn", Status.RUNNING, BEGAN, "2026-01-01T02:00:00.000Z", submitted_at=BEGAN)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"turn": {"place": 2, "waiting": 3, "since": BEGAN, "turn_at": None}},
            "Waiting for its turn to train: number 2 of 3.",
        ),
        (
            {"turn": {"place": 1, "waiting": 1, "since": BEGAN, "turn_at": "2026-01-01T09:00:00.000Z"}},
            "Waiting for its turn to train: number 1 of 1, expected at 2026-01-01T09:00:00.000Z.",
        ),
        ({"stage": "PollJob", "training": TrainingProgress(steps=20, total_steps=80)}, "Training: step 20 of 80."),
        ({"stage": "PollJob", "training": TrainingProgress(steps=20)}, "Training: step 20."),
        ({"stage": "Unheard"}, "Unheard is done."),
    ],
)
def test_where_a_run_stands_is_one_sentence(fields: dict[str, Any], told: str) -> None:
    assert progress(replace(RECORD, **fields)) == told


@pytest.mark.parametrize(
    ("training", "end"),
    [
        (TrainingProgress(steps=20, total_steps=80, progress_at="2026-01-01T01:00:00.000Z"), "2026-01-01T04:00"),
        (TrainingProgress(steps=20, total_steps=80), "2026-01-01T08:00"),  # by the record's last change
        (TrainingProgress(steps=81, total_steps=80, progress_at="2026-01-01T01:00:00.000Z"), "2026-01-01T01:00"),
        (TrainingProgress(steps=8, total_steps=80, progress_at="2025-12-31T23:00:00.000Z"), "2025-12-31T23:00"),
        (TrainingProgress(steps=0, total_steps=80), None),
        (TrainingProgress(steps=20), None),
    ],
)
def test_the_training_ends_when_its_other_steps_take_as_long_as_those_so_far(
    training: TrainingProgress, end: str | None
) -> None:
    told = estimated_training_end(replace(RECORD, training=training))
    assert (told and told[:16]) == end


def test_of_a_rehearsal_the_api_tells_the_two_figures_that_decide() -> None:
    from tunedrop.api.views import _rehearsal

    told = _rehearsal(RehearsalResult({"mean_reward": 0.4, "groups_with_signal": 0.7, "latency_p99": 2.0}))
    assert told == {"mean_reward": 0.4, "groups_with_signal": 0.7}


def api(document: Any) -> Api:
    """The API of a stack in whose runs' folders this document is; an error is raised."""

    def read_json(name: str, most_bytes: int) -> Any:
        if isinstance(document, Exception):
            raise document
        return document if len(json.dumps(document)) <= most_bytes else None

    folder = SimpleNamespace(
        read_json=read_json, key=lambda name: f"runs/sums-1/{name}", names=lambda prefix: [f"{prefix}1.json"]
    )
    app: Any = None
    resources: Any = SimpleNamespace(folder=lambda _: folder, settings=SimpleNamespace(runs_bucket="runs"))
    return Api(app, resources)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"findings": [{"rule": "x"}], "counts": {"x": 1}, "more": 1}, True),
        ({"findings": [{"rule": "x" * MOST_FINDINGS_BYTES}], "counts": {}}, False),
        (RunFileMissing("gone"), False),
        (RunFileBroken("no JSON"), False),
        ([], False),
        ({"findings": ["x"], "counts": {}}, False),
        ({"findings": [], "counts": 7}, False),
    ],
    ids=["as written", "too large", "gone", "no JSON", "a list", "texts", "a number"],
)
def test_findings_that_are_gone_or_broken_leave_the_rest_of_the_answer(document: Any, told: bool) -> None:
    found = api(document).dataset_findings("sums-1")
    assert found == ({"findings": document["findings"], "counts": document["counts"]} if told else {})


def test_all_documents_below_a_name_are_linked_by_their_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    signing = SimpleNamespace(generate_presigned_url=lambda _, Params, ExpiresIn: json.dumps([*Params.values()]))
    monkeypatch.setattr(context, "presigning_client", lambda: signing)
    (link,) = api(None).links_below("sums-1", "rows/")
    assert json.loads(link) == ["runs", "runs/sums-1/rows/1.json", 'inline; filename="1.json"']


class StepFunctions:
    """Knows no execution."""

    class exceptions:  # noqa: N801 - as boto3 names it
        class ExecutionDoesNotExist(Exception):
            pass

    def stop_execution(self, **_: str) -> None:
        raise self.exceptions.ExecutionDoesNotExist


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({"status": Status.FAILED, "notice": {"id": "n"}}, "run-ended"), ({}, "run-not-started")],
)
def test_a_run_that_cannot_be_stopped_says_why(fields: dict[str, Any], kind: str) -> None:
    client: Any = StepFunctions()
    trail: Any = SimpleNamespace(append=lambda entry: None)
    with pytest.raises(Problem) as refused:
        stop(replace(RECORD, **fields), client, trail, by="arn:aws:iam::123456789012:user/me")
    assert refused.value.kind == kind


@pytest.mark.parametrize(("age", "status"), [(LONGEST_SECONDS - 60, "RUNNING"), (LONGEST_SECONDS + 60, "FAILED")])
def test_a_validation_that_nobody_finished_is_told_to_be_asked_for_again(age: float, status: str) -> None:
    told = {"asked_at": clock.seconds_from_now(-age), "result": None}
    document = validations.document("v", told, None)
    assert document["status"] == status
    assert (document["reason"] or {}).get("error") == ("ValidationLost" if status == "FAILED" else None)
