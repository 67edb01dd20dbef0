"""The record of a run: the one source of truth of what it is and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.outcomes import Status
from tunedrop.run.record_parts import CheckedDataset, EvaluationResult, Part, RehearsalResult, TrainingProgress

if TYPE_CHECKING:
    from tunedrop.graders.graded import Layout
    from tunedrop.recipe import Recipe


_NO_DATASET, _NO_REHEARSAL = CheckedDataset(), RehearsalResult()
_NO_TRAINING, _NO_EVALUATION = TrainingProgress(), EvaluationResult()
"""The parts of a run that has not come to them."""


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


@dataclass(frozen=True)
class RunRecord:
    """One item of the runs table. Times are text as `tunedrop.clock` writes it; what was not reached yet is None.

    `stage` is the state that worked last, `reached` when each state had last worked.
    `team`: whose the run is; None where the stack's mapping gives it to none.
    `turn`: where the run stands in the queue, as `queue.place.Place` has it; None while it does not wait.
    `submission_lease_until`: until then one process alone may create the job.
    `releasing_at`: since then the run is being released, and nothing new may be started for it.
    `grader_layout`: the documented layout that a grader of the team's own was found to read.
    `recipe_document` is the resolved recipe as it is kept, to the last digit; `recipe` reads it.
    `deploying_at`: since then a deployment of the tuned model may exist. `asked_as`: the id by which it is asked.
    `shard_failure`: `{"error", "cause"}` of the first shard of the evaluation that failed, as the Map does not tell it.
    `released`: what was ended or deleted for the run at its end, by its id, and how.
    `promotion`: waiting (for a person's word, who answers by `approval_token`), done, rejected, expired, failed, or
    rolled_back after it was done.
    `not_promoted`: why Tunedrop itself did not promote the model: a rule of the stack, or a refusal of the service.
    `decision_told`: the `promotion` that a notice after the run's own has told last.
    `promoting_from`: the version of the promotion's parameter when PromoteModel began, 0 where there was none.
    `promoted_at`: when the promotion came to its end, whichever it was.
    `roll_back`: who asked to undo the promotion: `{"by", "at", "reason"}`. `rolling_back_to`: the model before it.
    `governed` is "yes" where only those may approve the promotion whom the stack names. `approval_rule` says when one
    of them is asked (`teams.ApprovalRule`); None is always. `approval_asked` is what became of it when the run was
    concluded: `{"asked", "why"}`, `asked` is yes or no.
    `approval`: whose word it was about the promotion: `{"approved", "by", "at", "reason"}`, `approved` is yes or no.
    `legacy`: `{"since", "ends"}` where Bedrock had declared the base model legacy when the run began.
    `keep`: set where somebody wants nothing of the run deleted. `used_by`: the runs that use its job or its model.
    `retention`: how far the deletion of what it left behind is, by kind (`tunedrop.retention.rules`).
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
    recipe_document: Mapping[str, Any] | None = None
    grader_arn: str | None = None
    grader_layout: Layout | None = None
    dataset: CheckedDataset = _NO_DATASET
    rehearsal: RehearsalResult = _NO_REHEARSAL
    turn: Mapping[str, Any] | None = None
    file_id: str | None = None
    submitting_at: str | None = None
    submission_lease_until: str | None = None
    job_id: str | None = None
    job_status: str | None = None
    submitted_at: str | None = None
    tuned_model: str | None = None
    deploying_at: str | None = None
    asked_as: str | None = None
    training: TrainingProgress = _NO_TRAINING
    evaluation: EvaluationResult = _NO_EVALUATION
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
    promoted_at: str | None = None
    not_promoted: str | None = None
    decision_told: str | None = None
    roll_back: Mapping[str, str] | None = None
    rolling_back_to: str | None = None
    rolled_back_at: str | None = None
    governed: str | None = None
    approval_rule: Mapping[str, Any] | None = None
    approval_asked: Mapping[str, str] | None = None
    approval: Mapping[str, str] | None = None
    legacy: Mapping[str, str] | None = None
    keep: str | None = None
    used_by: Sequence[str] | None = None
    retention: Mapping[str, str] = field(default_factory=dict)
    unfinished: str | None = "yes"

    @property
    def closed(self) -> bool:
        """Whether the run has its terminal notice, and so its end."""
        return self.notice is not None

    @property
    def resolved(self) -> bool:
        """Whether ResolveInputs has given the run its recipe."""
        return self.recipe_document is not None

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of a run that is `resolved`."""
        from tunedrop.recipe import Recipe  # pydantic is of no use to a function that only looks at the record

        return Recipe.model_validate(self.recipe_document)

    @property
    def base_model(self) -> str | None:
        """The model that the recipe names; None before there is a recipe."""
        return self._of_recipe("model") or None

    @property
    def grader_kind(self) -> str | None:
        """The kind of grader that the recipe names; None before there is a recipe."""
        kind: str | None = self._of_recipe("grader", "kind")
        return kind

    @property
    def reward_range(self) -> RewardRange:
        """Between which rewards the grader's lie."""
        return RewardRange(*(self._of_recipe("grader", "range") or UNIT))

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the recipe as it was resolved; before that, those of the call."""
        source = self.source
        called = (source.get("overrides") or {}).get("labels") or (source.get("recipe") or {}).get("labels")
        labels = self._of_recipe("labels") if self.resolved else called
        return {str(name): str(value) for name, value in (labels or {}).items()}

    @property
    def promotion_parameter(self) -> str | None:
        """The parameter that the recipe wants the model in; None where it names none."""
        parameter: str | None = self._of_recipe("promotion", "parameter")
        return parameter

    @property
    def resumes(self) -> str:
        """The run whose job and model this one has taken over; "" if it has none."""
        return self._of_recipe("resumes") or ""

    @property
    def promotion_wish(self) -> Mapping[str, Any] | None:
        """The recipe's `promotion` as it is kept; None where it has none."""
        wish: Mapping[str, Any] | None = self._of_recipe("promotion")
        return wish

    def _of_recipe(self, *path: str) -> Any:
        """A value of the recipe's document, without reading the recipe as a whole; None where it has none."""
        value: Any = self.recipe_document
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> RunRecord:
        """The record in a DynamoDB item of plain values; attributes that this version does not know are passed over."""
        attributes = {each.name: _ATTRIBUTES.get(each.name, each.name) for each in fields(cls)}
        values = {name: item[attribute] for name, attribute in attributes.items() if attribute in item}
        values["status"] = Status(values["status"])
        values.setdefault("unfinished", None)
        for name in ("train", "test", "recipe_file"):
            if values.get(name) is not None:
                values[name] = PinnedObject(**values[name])
        for name, part in _PARTS.items():
            values[name] = part.from_document(values.get(name) or {})
        return cls(**values)

    def to_item(self) -> dict[str, Any]:
        """The item of the record, of plain values; what was not reached yet has no attribute."""
        values = {_ATTRIBUTES.get(each.name, each.name): getattr(self, each.name) for each in fields(self)}
        return {name: kept(value) for name, value in values.items() if value is not None and value not in _NOTHING}


def kept(value: Any) -> Any:
    """The value of a field as an item has it, of plain values."""
    if isinstance(value, PinnedObject):
        return asdict(value)
    return value.to_document() if isinstance(value, Part) else value


_ATTRIBUTES = {"recipe_document": "recipe"}
"""Fields of the record whose attribute in the table has another name."""

_PARTS: Mapping[str, type[Part]] = {
    "dataset": CheckedDataset,
    "rehearsal": RehearsalResult,
    "training": TrainingProgress,
    "evaluation": EvaluationResult,
}
_NOTHING: tuple[Part, ...] = (_NO_DATASET, _NO_REHEARSAL, _NO_TRAINING, _NO_EVALUATION)
