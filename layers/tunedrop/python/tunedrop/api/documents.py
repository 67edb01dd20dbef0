"""What the API takes and gives, as pydantic models: they validate, and the OpenAPI document is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tunedrop.recipe_text import RECIPE_BYTES

MOST_UPLOAD_BYTES = 1024**3
"""Largest upload: 20,000 rows, the most that the service takes, at 50 KB a row."""

_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]*$"
"""What SNS takes in a message attribute is what XML can hold; line breaks would break a log or a subject, too."""

_SOMETHING = (
    r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]*[^\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u3000\ufffe\uffff]"
)
_SOMETHING += r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]*$"
_RunId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,46}$")]
_Label = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_NO_CONTROL)]


class _Document(BaseModel):
    """A document of the API. Its validator is built when it is first used: a request needs one or two of them."""

    model_config = ConfigDict(defer_build=True)


class _Request(_Document):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ByUri(_Request):
    """A file in S3 that the team may read."""

    uri: Annotated[
        str,
        StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f]+$", max_length=1100),
    ] = Field(examples=["s3://research-data/rft/gsm8k/train.jsonl"])


class ByUpload(_Request):
    """A file that was uploaded by POST /uploads."""

    upload_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


DatasetReference = ByUri | ByUpload

RecipeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class _WithRecipe(_Request):
    recipe: dict[str, Any] | RecipeName | None = Field(
        None,
        description="The recipe, or the name of one at recipes/<team>/<name>.yaml in the dataset bucket.",
    )
    recipe_text: Annotated[str, StringConstraints(max_length=RECIPE_BYTES)] | None = Field(
        None, description="In place of `recipe`: the text of a recipe.yaml or recipe.json, unchanged."
    )


class RunRequest(_WithRecipe):
    """A run to start: from a dataset, or from an earlier run (`resumes`), or for a model that is tuned already."""

    name: Annotated[
        str,
        StringConstraints(
            min_length=1,
            max_length=100,
            pattern=_SOMETHING,
        ),
    ]
    dataset: DatasetReference | None = None
    test: DatasetReference | None = None
    resumes: _RunId | None = Field(None, description="An ended run of the team: take over its job and model.")
    evaluate_only: Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=_NO_CONTROL)] | None = Field(
        None, description="A tuned model to compare with its base; the run trains nothing."
    )
    labels: Annotated[dict[_Label, _Label], Field(max_length=20)] | None = None


class ValidationRequest(_WithRecipe):
    """A dataset to check, as a run would, without a run."""

    dataset: DatasetReference
    test: DatasetReference | None = None


class UploadRequest(_Request):
    """A file to upload."""

    bytes: int = Field(ge=1, le=MOST_UPLOAD_BYTES, description="The file's size: the upload must have it exactly.")


class Problem(_Document):
    """RFC 9457. `type` is one of those that docs/api.md lists."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str


class RunSummary(_Document):
    """A run, in a list."""

    run_id: str
    url: str
    name: str
    status: Literal["RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"]
    state: str = Field(description="The state of the pipeline that worked last.")
    started_at: str
    updated_at: str
    finished_at: str | None
    team: str
    labels: dict[str, str]
    base_model: str | None
    tuned_model: str | None
    verdict: str | None = Field(description="improved, tied or regressed; null if the run compared nothing.")
    difference: float | None = Field(description="Mean reward of the tuned model minus that of its base.")
    dollars: float | None = Field(description="What the training has cost by the recipe's prices; null without them.")
    simulated: bool = Field(description="No service trained anything: the figures say nothing about real models.")
    trained_by: Literal["simulation", "local", "bedrock"] = Field(
        description="`local`: the weights of `weights`, on the stack's own machine."
    )
    trained_on: str
    weights: dict[str, str] | None = Field(description="Name and licence of the weights that `local` trains.")


class RunList(_Document):
    """Runs, the youngest first. With filters a page may be short, or empty, and still have a next one."""

    runs: list[RunSummary]
    next: str | None = Field(description="The `page` to ask for next; null at the end.")


class Reason(_Document):
    """Why a run ended other than well."""

    error: str
    message: str


class DatasetOfRun(_Document):
    """What a run is made of."""

    uri: str | None
    version: str | None
    test_uri: str | None
    rows: int | None
    test_rows: int | None


class RehearsalOfRun(_Document):
    """What the trial of the grader on the base model's answers gave."""

    mean_reward: float | None
    groups_with_signal: float | None = Field(description="Share of the prompts whose answers differ in reward.")


class DecisionOfRun(_Document):
    """What was decided about a promotion, by whom, when and why."""

    what: Literal["approved", "rejected", "promoted", "not_promoted", "expired", "failed", "rolled_back"] = Field(
        description="`promoted`: nobody was asked. `not_promoted`: a rule of the stack forbids it."
    )
    by: str = Field(description="The ARN of a person's role or user, or `Tunedrop`.")
    at: str
    reason: str


class PromotionOfRun(_Document):
    """What becomes of the improved model's id. `waiting`: POST …/approve or …/reject decides."""

    parameter: str
    state: Literal["waiting", "done", "rejected", "expired", "failed", "rolled_back"] | None
    decided_by: str | None = Field(None, description="Who approved or rejected it through the API.")
    decided_at: str | None = None
    decision_reason: str | None = None
    asked: bool | None = Field(None, description="Whether a person is asked; null before the run is concluded.")
    asked_why: str | None = Field(None, description="Why a person is asked, or is not.")
    decisions: list[DecisionOfRun] = Field([], description="All that was decided, the first decision first.")


class TurnOfRun(_Document):
    """Where a run stands that waits for its turn to train, when it last looked: every 15 minutes or more often."""

    place: int = Field(description="1 is next.")
    waiting: int = Field(description="How many runs wait, this one counted.")
    since: str
    turn_at: str | None = Field(
        description="When its turn is expected, by the jobs so far; null while nobody can tell."
    )


class NoticeOfRun(_Document):
    """The notice of the run's end, as the subscribers of the stack's topic get it."""

    id: str
    subject: str
    headline: str = Field(description="What happened.")
    next: str = Field(description="What to do about it.")
    published_at: str | None = Field(description="Null while it is on its way to the topic.")


class TrainingOfRun(_Document):
    """How far the training is. `latest` are the last step's metrics; `simulated`: no service trained anything."""

    job_id: str | None
    status: str | None
    steps: int | None
    total_steps: int | None
    reward_first: float | None
    reward_last: float | None
    latest: dict[str, float] | None
    simulated: bool
    trained_by: Literal["simulation", "local", "bedrock"] = Field(
        description="`local`: the weights of `weights`, on the stack's own machine."
    )
    trained_on: str
    weights: dict[str, str] | None = Field(description="Name and licence of the weights that `local` trains.")


class FindingCounts(_Document):
    """How many findings there are; GET /runs/{run_id}/findings has them. Null where that was not looked for yet."""

    dataset: int | None
    rehearsal: int | None
    training: int | None


class RunDocument(RunSummary):
    """A run, whole."""

    progress: str = Field(description="One sentence for a person.")
    reached: dict[str, str] = Field(description="When each state of the pipeline last worked.")
    grader: str | None
    dataset: DatasetOfRun
    rehearsal: RehearsalOfRun | None
    turn: TurnOfRun | None = Field(None, description="Null while the run does not wait for its turn.")
    training: TrainingOfRun | None
    evaluation: dict[str, Any] | None
    promotion: PromotionOfRun | None
    findings: FindingCounts
    estimated_training_end: str | None = Field(
        description="When the training will end at its pace so far; null while nobody can tell."
    )
    reason: Reason | None
    notice: NoticeOfRun | None = Field(None, description="Null until the run ends.")
    report_uri: str | None
    execution_arn: str


class Metrics(_Document):
    """The metrics of the training's steps, as the service gave them."""

    run_id: str
    simulated: bool
    trained_by: Literal["simulation", "local", "bedrock"] = Field(
        description="`local`: the weights of `weights`, on the stack's own machine."
    )
    trained_on: str
    weights: dict[str, str] | None = Field(description="Name and licence of the weights that `local` trains.")
    steps: list[dict[str, float]]
    next_after: int | None = Field(description="The `after` to ask for next; null at the end.")


class Findings(_Document):
    """What was found: about the dataset (by link where it is large), by the rehearsal, about the training.

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


class Report(_Document):
    """Short-lived links to a run's documents; each of them null where the run did not come that far.

    `rows` are the files that belong into the folder `report_rows/` beside the page, in their order; a small page needs
    none.
    """

    run_id: str
    page: str | None
    json_document: str | None
    model_card: str | None
    rows: list[str]
    expires_at: str


class Upload(_Document):
    """Where to PUT the file, with the `headers`. The link takes one file, once; a second one gets 412."""

    upload_id: str
    uri: str
    url: str
    headers: dict[str, str]
    expires_at: str


class Validation(_Document):
    """A dataset's check. `findings` are the first ones, `findings_link` leads to all."""

    validation_id: str
    url: str
    status: Literal["RUNNING", "DONE", "FAILED"]
    valid: bool | None
    rows: int | None
    counts: dict[str, Any] | None
    findings: list[dict[str, Any]] | None
    findings_link: str | None
    reason: Reason | None


class ModelDocument(_Document):
    """A model that this stack can tune."""

    id: str
    aliases: list[str]
    family: str
    region: str
    offered_here: bool
    max_prompt_tokens: int | None
    gives_events: bool
    gives_checkpoints: bool
    hyperparameters: dict[str, dict[str, Any]]


class Models(_Document):
    """The models that can be tuned; those of other Regions need a stack there."""

    region: str
    models: list[ModelDocument]


class GraderDocument(_Document):
    """A kind of grader that a recipe can name, and the function that runs it.

    `composite` runs in the function of another trust where one of its parts needs that.
    """

    kind: str
    summary: str
    trust: str
    version_arn: str


class Graders(_Document):
    """The graders that are deployed with this stack."""

    graders: list[GraderDocument]
