"""One notice of every kind, made by the code that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunedrop.identity import Upload
from tunedrop.notices import deletion, of_run, stray_uploads
from tunedrop.notices.publication import Publication
from tunedrop.outcomes import Status
from tunedrop.queue.place import Place
from tunedrop.recipe import Budget, Prices, Promotion, Recipe
from tunedrop.run.drops import repeats
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.record_parts import CheckedDataset, EvaluationResult, TrainingProgress

RUN = RunRecord(
    run_id="gsm8k-0123456789abcdef",
    name="gsm8k",
    team="research",
    execution_arn="arn:aws:states:us-west-2:123456789012:execution:pipeline:1",
    status=Status.RUNNING,
    started_at="2026-01-01T00:00:00.000Z",
    updated_at="2026-01-01T00:00:00.000Z",
    source={"bucket": "drop", "key": "inbox/gsm8k/train.jsonl", "version_id": "v1"},
    train=PinnedObject("drop", "inbox/gsm8k/train.jsonl", "v1", 12345),
    recipe_document=Recipe(
        model="openai.gpt-oss-20b",
        labels={"suite": "maths", "team": "research"},
        budget=Budget(prices=Prices(hour=1.0, step=0.01)),
    ).model_dump(mode="json"),
)
CALLED = replace(
    RUN,
    source={"kind": "call", "bucket": "drop", "key": "uploads/research/1/data.jsonl", "recipe": {"labels": {}}},
    train=PinnedObject("drop", "uploads/research/1/data.jsonl", "v1", 12345),
)
TRAINED = replace(
    RUN,
    job_id="ftjob-1",
    submitted_at="2026-01-01T00:00:00.000Z",
    reached={"PollJob": "2026-01-01T05:00:00.000Z"},
    tuned_model="ft-1",
    dataset=CheckedDataset(rows=300),
    training=TrainingProgress(steps=67, reward_first=0.5, reward_last=0.9, simulated=True, findings=[]),
)
EVALUATION: Mapping[str, Any] = {
    "rows": 250,
    "rows_left_out": 0,
    "base": {"mean_reward": 0.512, "accuracy": 0.512},
    "tuned": {"mean_reward": 0.893, "accuracy": 0.893},
    "difference": 0.381,
    "ci_low": 0.32,
    "ci_high": 0.44,
    "p_value": 0.0001,
    "suspected_reward_hacking": False,
}
HACKED = {"verdict": "tied", "suspected_reward_hacking": True}
FINDING = {
    "name": "entropy_collapse",
    "evidence": "The policy answers ever the same.",
    "advice": "Raise the temperature.",
}


def ended(record: RunRecord, status: Status, error: str = "", message: str = "") -> Publication:
    reason = {"error": error, "message": message} if error else None
    notice_of_the_end: Publication = of_run.closing(
        record,
        status,
        reason,
        report_uri="s3://runs/runs/gsm8k-0123456789abcdef/report.html",
        finished_at="2026-01-01T01:00:00.000Z",
    )["notice"]
    return notice_of_the_end


def compared(verdict: str) -> RunRecord:
    return replace(TRAINED, evaluation=EvaluationResult({**EVALUATION, "verdict": verdict}))


def upload(name: str, record: RunRecord | None) -> Publication:
    dropped = Upload("drop", f"inbox/gsm8k/{name}", "v2")
    remark = stray_uploads.look_at(
        dropped, 10, read=lambda: b"", run_beside=lambda: record, region="us-west-2", parameter_path="/tunedrop/dev"
    )
    assert remark is not None
    return stray_uploads.notice_of(dropped, 10, remark, team="research", region="us-west-2")


DECIDED = replace(
    compared("improved"),
    status=Status.SUCCEEDED,
    recipe_document=Recipe(
        model="openai.gpt-oss-20b", promotion=Promotion(parameter="/tunedrop/gsm8k", approval=True)
    ).model_dump(mode="json"),
    promotion="rejected",
    promoted_at="2026-01-01T02:00:00.000Z",
    approval_asked={"asked": "yes", "why": "the recipe asks for it (`promotion.approval`)"},
    approval={
        "approved": "no",
        "by": "arn:aws:iam::123456789012:role/lead",
        "at": "2026-01-01T01:59:00.000Z",
        "reason": "slower",
    },
)
UNDONE = replace(
    DECIDED,
    promotion="rolled_back",
    approval={**(DECIDED.approval or {}), "approved": "yes", "reason": "better"},
    roll_back={"by": "arn:aws:iam::123456789012:role/lead", "at": "2026-01-02T01:59:00.000Z", "reason": "slower"},
    rolling_back_to="ft-0",
    rolled_back_at="2026-01-02T02:00:00.000Z",
)


NOTICES: Mapping[str, Publication] = {
    "started": of_run.started(replace(RUN, test=PinnedObject("drop", "inbox/gsm8k/test.jsonl", "v1", 99))),
    "started alone": of_run.started(RUN),
    "started by a call": of_run.started(CALLED),
    "call stopped": ended(CALLED, Status.CANCELLED, "Stopped", "The execution was stopped."),
    "call rejected": ended(CALLED, Status.REJECTED, "DatasetInvalid", "line 3 is no JSON"),
    "waiting": of_run.turn_awaited(RUN, Place(3, 7, "2026-01-01T00:10:00.000Z", "2026-01-01T04:00:00.000Z")),
    "warning": of_run.warning(TRAINED, FINDING),
    "approval": of_run.approval_wanted(
        replace(compared("improved"), status=Status.SUCCEEDED),
        Promotion(parameter="/tunedrop/gsm8k", approval=True),
        runs_table="runs",
    ),
    "rejected promotion": of_run.promotion_decided(DECIDED),
    "rolled back": of_run.promotion_decided(UNDONE),
    "improved": ended(compared("improved"), Status.SUCCEEDED),
    "tied": ended(compared("tied"), Status.SUCCEEDED),
    "regressed": ended(compared("regressed"), Status.SUCCEEDED),
    "hacked": ended(
        replace(TRAINED, evaluation=EvaluationResult({**EVALUATION, **HACKED})),
        Status.SUCCEEDED,
    ),
    "repeated": ended(
        RUN,
        Status.REJECTED,
        "RepeatedDrop",
        repeats("gsm8k-1", PinnedObject("drop", "inbox/gsm8k/train.jsonl", "v1", 12345)),
    ),
    "rejected": ended(RUN, Status.REJECTED, "DatasetInvalid", "line 3 is no JSON"),
    "failed": ended(TRAINED, Status.FAILED, "EvaluationIncomplete", "too few answers"),
    "cancelled": ended(RUN, Status.CANCELLED, "Stopped", "The execution was stopped."),
    "ignored": upload("train.json", None),
    "late": upload("test.jsonl", RUN),
    "deleting": deletion.announcement(
        "research",
        [replace(RUN, finished_at="2026-01-01T01:00:00.000Z")],
        {RUN.run_id: {"dataset": "2026-04-01T01:00:00.000Z", "run": "2027-01-01T01:00:00.000Z"}},
        runs_table="tunedrop-dev-RunsTable",
        runs_bucket="tunedrop-dev-runsbucket",
        region="us-west-2",
    ),
}
