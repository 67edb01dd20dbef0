"""The documents of the API, as docs/openapi.json describes them. A stack that is newer may answer more members."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Status = Literal["RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"]


class ByUri(TypedDict):
    """A file in S3 that the team may read."""

    uri: str


class ByUpload(TypedDict):
    """A file that was uploaded."""

    upload_id: str


class WrongField(TypedDict):
    """A field, parameter or header of a request that is wrong."""

    field: str
    expected: str


class RunRequest(TypedDict):
    """A run to start."""

    name: str
    dataset: NotRequired[ByUri | ByUpload | None]
    test: NotRequired[ByUri | ByUpload | None]
    recipe: NotRequired[dict[str, Any] | str | None]
    recipe_text: NotRequired[str | None]
    resumes: NotRequired[str | None]
    evaluate_only: NotRequired[str | None]
    labels: NotRequired[dict[str, str] | None]


class ValidationRequest(TypedDict):
    """A dataset to check."""

    dataset: ByUri | ByUpload
    test: NotRequired[ByUri | ByUpload | None]
    recipe: NotRequired[dict[str, Any] | str | None]
    recipe_text: NotRequired[str | None]


class UploadRequest(TypedDict):
    """A file to upload."""

    bytes: int


class RunSummary(TypedDict):
    """A run, in a list."""

    run_id: str
    url: str
    name: str
    status: Status
    state: str
    started_at: str
    updated_at: str
    finished_at: str | None
    team: str
    labels: dict[str, str]
    base_model: str | None
    tuned_model: str | None
    verdict: str | None
    difference: float | None
    dollars: float | None
    simulated: bool
    trained_by: Literal["simulation", "local", "bedrock"]
    trained_on: str
    weights: dict[str, str] | None


class RunList(TypedDict):
    """One page of runs, the newest first."""

    runs: list[RunSummary]
    next: str | None


class Reason(TypedDict):
    """Why a run ended other than well."""

    error: str
    message: str


class DatasetOfRun(TypedDict):
    """What a run is made of."""

    uri: str | None
    version: str | None
    test_uri: str | None
    rows: int | None
    test_rows: int | None


class RehearsalOfRun(TypedDict):
    """What the trial of the grader on the base model's answers gave."""

    mean_reward: float | None
    groups_with_signal: float | None


class DecisionOfRun(TypedDict):
    """What was decided about a promotion, by whom, when and why. `by` is an ARN, or `Tunedrop`."""

    what: Literal["approved", "rejected", "promoted", "not_promoted", "expired", "failed", "rolled_back"]
    by: str
    at: str
    reason: str


class PromotionOfRun(TypedDict):
    """What becomes of the improved model's id. `waiting`: `approve` or `reject` decides."""

    parameter: str
    state: Literal["waiting", "done", "rejected", "expired", "failed", "rolled_back"] | None
    decided_by: NotRequired[str | None]
    decided_at: NotRequired[str | None]
    decision_reason: NotRequired[str | None]
    asked: NotRequired[bool | None]
    asked_why: NotRequired[str | None]
    decisions: NotRequired[list[DecisionOfRun]]


class TurnOfRun(TypedDict):
    """Where a run stands that waits for its turn to train: `place` 1 is next, of `waiting` runs."""

    place: int
    waiting: int
    since: str
    turn_at: str | None


class NoticeOfRun(TypedDict):
    """The notice of the run's end: what happened and what to do. `published_at` is None while it is on its way."""

    id: str
    subject: str
    headline: str
    next: str
    published_at: str | None


class TrainingOfRun(TypedDict):
    """How far the training is. `simulated`: no service trained anything."""

    job_id: str | None
    status: str | None
    steps: int | None
    total_steps: int | None
    reward_first: float | None
    reward_last: float | None
    latest: dict[str, float] | None
    simulated: bool
    trained_by: Literal["simulation", "local", "bedrock"]
    trained_on: str
    weights: dict[str, str] | None


class FindingCounts(TypedDict):
    """How many findings there are; None where nothing was looked for yet."""

    dataset: int | None
    rehearsal: int | None
    training: int | None


class RunDocument(RunSummary):
    """A run, whole."""

    progress: str
    reached: dict[str, str]
    grader: str | None
    dataset: DatasetOfRun
    rehearsal: RehearsalOfRun | None
    turn: NotRequired[TurnOfRun | None]
    training: TrainingOfRun | None
    evaluation: dict[str, Any] | None
    promotion: PromotionOfRun | None
    findings: FindingCounts
    estimated_training_end: str | None
    reason: Reason | None
    notice: NotRequired[NoticeOfRun | None]
    report_uri: str | None
    execution_arn: str


class Metrics(TypedDict):
    """The metrics of the training's steps, as the service gave them."""

    run_id: str
    simulated: bool
    trained_by: Literal["simulation", "local", "bedrock"]
    trained_on: str
    weights: dict[str, str] | None
    steps: list[dict[str, float]]
    next_after: int | None


class Findings(TypedDict):
    """The findings in the dataset, the rehearsal and the training; `dataset_link` leads to all of the dataset's.

    `rehearsal_link` leads to all that the rehearsal measured, and to the base model's answers with their rewards.
    """

    run_id: str
    dataset: list[dict[str, Any]] | None
    dataset_counts: dict[str, Any] | None
    dataset_link: str | None
    rehearsal: list[dict[str, Any]] | None
    rehearsal_link: str | None
    training: list[dict[str, Any]] | None
    link_expires_at: str | None


class Report(TypedDict):
    """Short-lived links to a run's documents."""

    run_id: str
    page: str | None
    json_document: str | None
    model_card: str | None
    rows: list[str]
    """The files of the page's rows, in their order."""
    expires_at: str


class Upload(TypedDict):
    """Where to PUT a file, and the headers to send with it."""

    upload_id: str
    uri: str
    url: str
    headers: dict[str, str]
    expires_at: str


class Validation(TypedDict):
    """The check of a dataset. `findings` are the first ones, `findings_link` leads to all."""

    validation_id: str
    url: str
    status: Literal["RUNNING", "DONE", "FAILED"]
    valid: bool | None
    rows: int | None
    counts: dict[str, Any] | None
    findings: list[dict[str, Any]] | None
    findings_link: str | None
    reason: Reason | None


class ModelDocument(TypedDict):
    """A model that can be tuned."""

    id: str
    aliases: list[str]
    family: str
    region: str
    offered_here: bool
    max_prompt_tokens: int | None
    gives_events: bool
    gives_checkpoints: bool
    hyperparameters: dict[str, dict[str, Any]]


class Models(TypedDict):
    """The models that can be tuned, and the stack's Region."""

    region: str
    models: list[ModelDocument]


class GraderDocument(TypedDict):
    """A grader that a recipe can name. `trust`: what its function may do."""

    kind: str
    summary: str
    trust: str
    version_arn: str


class Graders(TypedDict):
    """The graders that are deployed with the stack."""

    graders: list[GraderDocument]
