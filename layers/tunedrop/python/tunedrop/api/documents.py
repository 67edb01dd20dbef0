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
    ] = Field(
        description="A JSON Lines file, or one packed with gzip, at a place that docs/api.md allows.",
        examples=["s3://research-data/rft/gsm8k/train.jsonl"],
    )


class ByUpload(_Request):
    """A file that was uploaded by POST /uploads."""

    upload_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] = Field(
        description="As POST /uploads gave it. One upload can be used by any number of the team's runs."
    )


DatasetReference = ByUri | ByUpload

_TEST = "The test rows; without them a part of the training rows is held out (`evaluation.holdout` of the recipe)."

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
    ] = Field(description="What people call the run; need not be unique.")
    dataset: DatasetReference | None = Field(None, description="The training rows; not needed with `resumes`.")
    test: DatasetReference | None = Field(None, description=_TEST)
    resumes: _RunId | None = Field(None, description="An ended run of the team: take over its job and model.")
    evaluate_only: Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=_NO_CONTROL)] | None = Field(
        None, description="A tuned model to compare with its base; the run trains nothing."
    )
    labels: Annotated[dict[_Label, _Label], Field(max_length=20)] | None = Field(
        None, description="Texts of your own by name; the API, the notices and the report repeat them."
    )


class ValidationRequest(_WithRecipe):
    """A dataset to check, as a run would, without a run."""

    dataset: DatasetReference = Field(description="The training rows.")
    test: DatasetReference | None = Field(None, description=_TEST)


class UploadRequest(_Request):
    """A file to upload."""

    bytes: int = Field(ge=1, le=MOST_UPLOAD_BYTES, description="The file's size: the upload must have it exactly.")


class WrongField(_Document):
    """A field, parameter or header of a request that is wrong."""

    field: str = Field(description="Its name; `body` for the whole body.")
    expected: str = Field(description="What was expected, and what came.")


class Problem(_Document):
    """RFC 9457. `type` is one of those that docs/api.md lists. Members that are not of the kind are left out."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(
        description="`urn:tunedrop:problem:` and the kind of problem: programs distinguish problems by it."
    )
    title: str = Field(description="The kind of problem, for a person.")
    status: int = Field(description="The answer's status.")
    detail: str = Field(description="What is wrong with this request, and what to do about it.")
    errors: list[WrongField] | None = Field(None, description="With `request-invalid`: each wrong field.")
    run_id: str | None = Field(None, description="With `idempotency-key-reused`: the run that the key started.")
    run_status: str | None = Field(None, description="With `run-ended`: how the run ended.")
    active: int | None = Field(None, description="With `too-many-runs`: how many runs of the team are active.")
    quota: int | None = Field(None, description="With `too-many-runs`: how many may be.")


_TIME = "UTC, as in 2026-11-26T18:00:11.986Z"
_TRAINED_ON = "`Amazon Bedrock`, or `this machine`."


class RunSummary(_Document):
    """A run, in a list."""

    run_id: str = Field(description="Names the run in every other call.")
    url: str = Field(description="The run's path below the API's URL (`ApiUrl`, which ends with the stage).")
    name: str = Field(description="As the call or the dropped folder gave it.")
    status: Literal["RUNNING", "SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"] = Field(
        description="All but RUNNING are final. SUCCEEDED: the models were compared, and `verdict` says whether the "
        "tuned one is better. REJECTED: nothing was trained; `reason` says what is wrong."
    )
    state: str = Field(description="The state of the pipeline that worked last.")
    started_at: str = Field(description=f"When the run was asked for: {_TIME}.")
    updated_at: str = Field(description="When the run last changed.")
    finished_at: str | None = Field(description="When the run ended; null while it is RUNNING.")
    team: str = Field(description="Whose the run is; empty for no team.")
    labels: dict[str, str] = Field(description="The labels of the call, or of the recipe.")
    base_model: str | None = Field(description="The model to tune; null until the recipe has been read.")
    tuned_model: str | None = Field(description="The id under which the tuned model answers; null while there is none.")
    verdict: str | None = Field(description="improved, tied or regressed; null if the run compared nothing.")
    difference: float | None = Field(description="Mean reward of the tuned model minus that of its base.")
    dollars: float | None = Field(description="What the training has cost by the recipe's prices; null without them.")
    simulated: bool = Field(description="No service trained anything: the figures say nothing about real models.")
    trained_by: Literal["simulation", "local", "bedrock"] = Field(
        description="`local`: the weights of `weights`, on the stack's own machine."
    )
    trained_on: str = Field(description=_TRAINED_ON)
    weights: dict[str, str] | None = Field(description="Name and licence of the weights that `local` trains.")


class RunList(_Document):
    """Runs, the youngest first. With filters a page may be short, or empty, and still have a next one."""

    runs: list[RunSummary] = Field(description="At most `limit` runs.")
    next: str | None = Field(description="The `page` to ask for next; null at the end.")


class Reason(_Document):
    """Why a run ended other than well."""

    error: str = Field(description="A name that docs/runbook.md explains: `DatasetInvalid`, `NoSignal` and others.")
    message: str = Field(description="What was found, where, and what to do, for a person.")


class DatasetOfRun(_Document):
    """What a run is made of."""

    uri: str | None = Field(description="The training file; null for a run that only `resumes` another.")
    version: str | None = Field(description="The version of the object that the run reads; empty without versioning.")
    test_uri: str | None = Field(description="The test file; null if a part of the training rows is the test set.")
    rows: int | None = Field(description="Rows to train on; null until the dataset has been checked.")
    test_rows: int | None = Field(description="Rows to test on; null until the dataset has been checked.")


class RehearsalOfRun(_Document):
    """What the trial of the grader on the base model's answers gave."""

    mean_reward: float | None = Field(description="Of the base model's answers, before any training.")
    groups_with_signal: float | None = Field(description="Share of the prompts whose answers differ in reward.")


class DecisionOfRun(_Document):
    """What was decided about a promotion, by whom, when and why."""

    what: Literal["approved", "rejected", "promoted", "not_promoted", "expired", "failed", "rolled_back"] = Field(
        description="`promoted`: nobody was asked. `not_promoted`: a rule of the stack forbids it."
    )
    by: str = Field(description="The ARN of a person's role or user, or `Tunedrop`.")
    at: str = Field(description=f"When: {_TIME}.")
    reason: str = Field(description="Why, in the words of who decided; may be empty.")


class PromotionOfRun(_Document):
    """What becomes of the improved model's id. `waiting`: POST …/approve or …/reject decides."""

    parameter: str = Field(description="The SSM parameter that receives the model's id.")
    state: Literal["waiting", "done", "rejected", "expired", "failed", "rolled_back"] | None = Field(
        description="Null until the run is concluded, and for a model that did not earn the promotion."
    )
    decided_by: str | None = Field(None, description="Who approved or rejected it through the API.")
    decided_at: str | None = Field(None, description="When that was.")
    decision_reason: str | None = Field(None, description="Why, in that person's words.")
    asked: bool | None = Field(None, description="Whether a person is asked; null before the run is concluded.")
    asked_why: str | None = Field(None, description="Why a person is asked, or is not.")
    decisions: list[DecisionOfRun] = Field([], description="All that was decided, the first decision first.")


class TurnOfRun(_Document):
    """Where a run stands that waits for its turn to train, when it last looked: every 15 minutes or more often."""

    place: int = Field(description="1 is next.")
    waiting: int = Field(description="How many runs wait, this one counted.")
    since: str = Field(description=f"Since when it waits: {_TIME}.")
    turn_at: str | None = Field(description="When its turn is expected, by the jobs so far; null while it is unknown.")


class NoticeOfRun(_Document):
    """The notice of the run's end, as the subscribers of the stack's topic get it."""

    id: str = Field(description="The notice's `notice_id`.")
    subject: str = Field(description="The subject of the e-mail.")
    headline: str = Field(description="What happened.")
    next: str = Field(description="What to do about it.")
    published_at: str | None = Field(description="Null while it is on its way to the topic.")


class TrainingOfRun(_Document):
    """How far the training is. `latest` are the last step's metrics; `simulated`: no service trained anything."""

    job_id: str | None = Field(description="The training job at Bedrock.")
    status: str | None = Field(description="The job's status, in Bedrock's words.")
    steps: int | None = Field(description="Steps that are done; null before the first.")
    total_steps: int | None = Field(description="How many steps there will be; null while it is unknown.")
    reward_first: float | None = Field(description="Mean reward of the first 5 steps.")
    reward_last: float | None = Field(description="Mean reward of the last 5 steps.")
    latest: dict[str, float] | None = Field(description="The last step, as GET /runs/{run_id}/metrics gives it.")
    simulated: bool = Field(description="No service trained anything: the figures say nothing about real models.")
    trained_by: Literal["simulation", "local", "bedrock"] = Field(
        description="`local`: the weights of `weights`, on the stack's own machine."
    )
    trained_on: str = Field(description=_TRAINED_ON)
    weights: dict[str, str] | None = Field(description="Name and licence of the weights that `local` trains.")


class FindingCounts(_Document):
    """How many findings there are; GET /runs/{run_id}/findings has them. Null where that was not looked for yet."""

    dataset: int | None = Field(description="Of the check of the rows; errors, warnings and notes.")
    rehearsal: int | None = Field(description="Of the trial of the grader on the base model's answers.")
    training: int | None = Field(description="Of the training so far.")


class RunDocument(RunSummary):
    """A run, whole."""

    progress: str = Field(description="One sentence for a person.")
    reached: dict[str, str] = Field(description="When each state of the pipeline last worked.")
    grader: str | None = Field(description="The grader's kind; null until the recipe has been read.")
    dataset: DatasetOfRun = Field(description="What the run is made of.")
    rehearsal: RehearsalOfRun | None = Field(description="Null until the rehearsal.")
    turn: TurnOfRun | None = Field(None, description="Null while the run does not wait for its turn.")
    training: TrainingOfRun | None = Field(description="Null until a training job was submitted.")
    evaluation: dict[str, Any] | None = Field(
        description="The comparison: `rows`, `rows_left_out`; `base` and `tuned` with `mean_reward` and `accuracy`; "
        "`difference` with its 95% interval `ci_low` to `ci_high`, `p_value`, `verdict`, `suspected_reward_hacking`. "
        "Null until the run has compared the models."
    )
    promotion: PromotionOfRun | None = Field(description="Null if the recipe names no parameter.")
    findings: FindingCounts = Field(description="How many there are.")
    estimated_training_end: str | None = Field(
        description="When the training will end at its pace so far; null while it is unknown."
    )
    reason: Reason | None = Field(description="Why the run ended other than well; null for any other.")
    notice: NoticeOfRun | None = Field(None, description="Null until the run ends.")
    report_uri: str | None = Field(
        description="The report in S3; GET /runs/{run_id}/report gives a link. Null until then."
    )
    execution_arn: str = Field(description="The Step Functions execution of the run.")


class Metrics(_Document):
    """The metrics of the training's steps, as the service gave them."""

    run_id: str = Field(description="Whose metrics these are.")
    simulated: bool = Field(description="No service trained anything: the figures say nothing about real models.")
    trained_by: Literal["simulation", "local", "bedrock"] = Field(
        description="`local`: the weights of `weights`, on the stack's own machine."
    )
    trained_on: str = Field(description=_TRAINED_ON)
    weights: dict[str, str] | None = Field(description="Name and licence of the weights that `local` trains.")
    steps: list[dict[str, float]] = Field(
        description="Each step: its number `step`, and what the service reports about it, by the service's names: "
        "`critic_rewards_mean` is the mean reward, `actor_entropy` how much the answers vary, `response_length_mean` "
        "how long they are."
    )
    next_after: int | None = Field(description="The `after` to ask for next; null at the end.")


_DATASET_FINDINGS = (
    "The first findings: each with `rule`, `severity` (`error`, `warning`, `note`), `file` (`train`, `test`), `line`, "
    "`field`, `expected`, `got`, `message` and `hint`. Null until the dataset has been checked."
)
_COUNTS = "How many findings there are of each severity: `error`, `warning`, `note`."


class Findings(_Document):
    """What was found: about the dataset (by link where it is large), by the rehearsal, about the training.

    `rehearsal_link` leads to all that the rehearsal measured, and to the base model's answers with their rewards.
    """

    run_id: str = Field(description="Whose findings these are.")
    dataset: list[dict[str, Any]] | None = Field(description=_DATASET_FINDINGS)
    dataset_counts: dict[str, Any] | None = Field(description=_COUNTS)
    dataset_link: str | None = Field(
        description="Leads to all findings in the dataset; null until it has been checked."
    )
    rehearsal: list[dict[str, Any]] | None = Field(
        description="Each with `rule`, `severity`, `message` and `advice`; null until the rehearsal."
    )
    rehearsal_link: str | None = Field(description="Leads to the rehearsal's document; null until the rehearsal.")
    training: list[dict[str, Any]] | None = Field(
        description="Each with `name`, `step`, `evidence` and `advice`; null until the training."
    )
    link_expires_at: str | None = Field(description="Ask again after this for links that can be opened.")


class Report(_Document):
    """Short-lived links to a run's documents; each of them null where the run did not come that far.

    `rows` are the files that belong into the folder `report_rows/` beside the page, in their order; a small page needs
    none.
    """

    run_id: str = Field(description="Whose report this is.")
    page: str | None = Field(description="report.html, for a browser.")
    json_document: str | None = Field(
        description="report.json, for programs; events/schemas/report.schema.json explains it."
    )
    model_card: str | None = Field(description="model_card.md, to hand on with the model.")
    rows: list[str] = Field(description="The page's further files; empty for a small page.")
    expires_at: str = Field(description="Ask again after this for links that can be opened.")


class Upload(_Document):
    """Where to PUT the file, with the `headers`. The link takes one file, once; a second one gets 412."""

    upload_id: str = Field(description="Names the file in `dataset` and `test`.")
    uri: str = Field(description="Where the file will lie.")
    url: str = Field(description="PUT the file here, without a signature of your own.")
    headers: dict[str, str] = Field(description="Send exactly these with the PUT: without them S3 answers 403.")
    expires_at: str = Field(description="The PUT must begin before this; afterwards S3 answers 403.")


class Validation(_Document):
    """A dataset's check. `findings` are the first ones, `findings_link` leads to all."""

    validation_id: str = Field(description="Names the check.")
    url: str = Field(description="The check's path below the API's URL (`ApiUrl`, which ends with the stage).")
    status: Literal["RUNNING", "DONE", "FAILED"] = Field(
        description="DONE: `valid` has the result. FAILED: the files or the recipe could not be read, as `reason` says."
    )
    valid: bool | None = Field(description="Whether a run would take the dataset; null until DONE.")
    rows: int | None = Field(description="Rows of the training file; null until DONE.")
    counts: dict[str, Any] | None = Field(description=_COUNTS)
    findings: list[dict[str, Any]] | None = Field(description=_DATASET_FINDINGS)
    findings_link: str | None = Field(description="Leads to all findings; null until DONE.")
    reason: Reason | None = Field(description="Why it is FAILED; otherwise null.")


class ModelDocument(_Document):
    """A model that this stack can tune."""

    id: str = Field(description="For `model` of a recipe.")
    aliases: list[str] = Field(description="Other names that a recipe can give it.")
    family: str = Field(description="Models of a family have the same hyperparameters.")
    region: str = Field(description="The only Region in which it can be tuned.")
    offered_here: bool = Field(description="Whether this stack is in that Region.")
    max_prompt_tokens: int | None = Field(description="The longest prompt; null where none is published.")
    gives_events: bool = Field(description="Whether Bedrock reports a training's steps while it goes on.")
    gives_checkpoints: bool = Field(description="Whether earlier checkpoints can be compared.")
    hyperparameters: dict[str, dict[str, Any]] = Field(
        description="By name: `type`, `least`, `most`, `default`, and `choices` where only these are taken."
    )


class Models(_Document):
    """The models that can be tuned; those of other Regions need a stack there."""

    region: str = Field(description="This stack's Region.")
    models: list[ModelDocument] = Field(description="Those of every Region.")


class GraderDocument(_Document):
    """A kind of grader that a recipe can name, and the function that runs it.

    `composite` runs in the function of another trust where one of its parts needs that.
    """

    kind: str = Field(description="For `grader.kind` of a recipe.")
    summary: str = Field(description="What it grades.")
    trust: str = Field(description="How far its answers are trusted: kinds of one trust run in one function.")
    version_arn: str = Field(description="The published version of that function.")


class Graders(_Document):
    """The graders that are deployed with this stack."""

    graders: list[GraderDocument] = Field(description="The kinds that this stack can run.")
