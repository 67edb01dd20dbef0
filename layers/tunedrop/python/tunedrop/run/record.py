"""The record of a run: the one source of truth of what it is and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tunedrop.graders.graded import Layout
from tunedrop.outcomes import Status


@dataclass(frozen=True, slots=True)
class PinnedObject:
    """One S3 object as it was found: in its version, where its bucket keeps versions, and by its ETag in any case.

    An object that has another ETag when it is read is not the one that was pinned. `content` is the same for the same
    bytes, uploaded in the same way; "" where S3 does not say it.
    """

    bucket: str
    key: str
    version_id: str
    bytes: int
    etag: str = ""
    content: str = ""

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One item of the runs table. Times are text as `tunedrop.clock` writes it; what was not reached yet is None.

    `stage` is the state that worked last, `reached` when each state had last worked.
    `team`: whose the run is; None where the stack's mapping gives it to none.
    `submission_lease_until`: until then one process alone may create the job.
    `releasing_at`: since then the run is being wound up and nothing new may be started for it.
    `grader_layout`: the documented layout that a grader of the team's own was found to read.
    `training` holds steps, total_steps, reward_first, reward_last, simulated and what polling needs between polls.
    `deploying_at`: since then a deployment of the tuned model may exist. `asked_as`: the id by which it is asked.
    `shard_failure`: `{"error", "cause"}` of the first shard of the evaluation that failed, as the Map does not tell it.
    `released`: what was ended or deleted for the run at its end, by its id, and how.
    `promotion`: waiting (for a person's word, who answers by `approval_token`), done, rejected, expired or failed.
    `promoting_from`: the version of the promotion's parameter when PromoteModel began, 0 where there was none.
    `reason` is `{"error", "message"}`. `notice` is the terminal notice as it is published; it closes the record.
    """

    run_id: str
    name: str
    execution_arn: str
    status: Status
    started_at: str
    updated_at: str
    stage: str = "RegisterRun"
    reached: Mapping[str, str] = field(default_factory=dict)
    team: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    train: PinnedObject | None = None
    test: PinnedObject | None = None
    recipe_file: PinnedObject | None = None
    recipe: Mapping[str, Any] | None = None
    grader_arn: str | None = None
    grader_layout: Layout | None = None
    dataset: Mapping[str, Any] | None = None
    rehearsal: Mapping[str, Any] | None = None
    file_id: str | None = None
    submitting_at: str | None = None
    submission_lease_until: str | None = None
    job_id: str | None = None
    job_status: str | None = None
    submitted_at: str | None = None
    tuned_model: str | None = None
    deploying_at: str | None = None
    asked_as: str | None = None
    training: Mapping[str, Any] | None = None
    evaluation: Mapping[str, Any] | None = None
    shard_failure: Mapping[str, str] | None = None
    reason: Mapping[str, str] | None = None
    releasing_at: str | None = None
    released: Mapping[str, str] = field(default_factory=dict)
    report_uri: str | None = None
    notice: Mapping[str, Any] | None = None
    finished_at: str | None = None
    notified_at: str | None = None
    promotion: str | None = None
    approval_token: str | None = None
    promoting_from: str | None = None
    unfinished: str | None = "yes"

    @property
    def closed(self) -> bool:
        """Whether the run has its terminal notice, and so its end."""
        return self.notice is not None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> RunRecord:
        """The record in a DynamoDB item of plain values; attributes that this version does not know are passed over."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in item.items() if name in known}
        values["status"] = Status(values["status"])
        values.setdefault("unfinished", None)
        for name in ("train", "test", "recipe_file"):
            if values.get(name) is not None:
                values[name] = PinnedObject(**values[name])
        return cls(**values)
