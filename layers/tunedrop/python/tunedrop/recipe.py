"""The recipe of a run: everything that the person who drops a dataset can decide, with a default for each.

A recipe is `recipe.yaml` or `recipe.json` beside the dataset; `recipe_resolution` checks it and fills in what the model
and the training decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunedrop import catalog
from tunedrop.graders.kinds import KINDS, OWN_PREFIX
from tunedrop.graders.reward_range import UNIT, RewardRange

_HOURS_72 = 72
MOST_WAIT_HOURS = 168
"""The most that `queue.wait_hours` may be."""
MOST_ANSWER_TOKENS = 65536
"""The most that `evaluation.max_tokens` may be."""
_ONE_LINE = r"^[^\t\n\r\u2028\u2029]*$"
_Label = Annotated[str, Field(min_length=1, max_length=128, pattern=_ONE_LINE)]
_Reward = Annotated[float, Field(ge=-1e6, le=1e6)]
_ModelId = Annotated[str, Field(min_length=1, max_length=2048, pattern=_ONE_LINE)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


OWN = "own"
"""The kind of a grader that is a function of a team's own."""

if TYPE_CHECKING:
    GraderKind = str
else:
    GraderKind = Literal[*KINDS, OWN]


class GraderChoice(_Section):
    """Which grader scores the answers: a kind that is deployed with the stack, or a team's own.

    `function` is the name of a team's own file that is deployed with the stack, or the ARN of a published version of a
    Lambda that the stack's parameter AllowedGraders allows: a version and not an alias, so that no reward can change
    while the model is trained. `options` travel with the rows in both cases. `range` is the least and the greatest
    reward that such a Lambda gives; gates, `pass_reward` and `least_difference` are shares of it. The stack's own
    graders give 0 to 1.
    """

    kind: GraderKind = "math"
    function: str = Field(
        "",
        pattern=r"^$|^[a-z][a-z0-9_]{0,39}$"
        r"|^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}:[0-9]+$",
        description="the name of a file of your own (a letter, then a-z, 0-9 and _; at most 40 characters) or the ARN "
        "of a published version of a Lambda function",
    )
    options: dict[str, Any] = Field(default_factory=dict, description="fields: options of the kind, by name")
    range: tuple[_Reward, _Reward] = Field(
        UNIT, description="two numbers from -1000000 to 1000000, the least and the greatest reward"
    )

    @model_validator(mode="after")
    def _own_needs_a_function(self) -> Self:
        if (self.kind == OWN) != bool(self.function):
            raise ValueError("`kind: own` needs `function`, and `function` needs `kind: own`")
        if self.range[0] >= self.range[1]:
            raise ValueError(f"`range` goes from the least to the greatest reward, as [-1, 1]; got {list(self.range)}")
        if self.range != UNIT and self.kind_of_rows is not None:
            raise ValueError(f"`range` is for a Lambda function of your own; {self.kind_of_rows} gives {UNIT}")
        return self

    @property
    def kind_of_rows(self) -> str | None:
        """The kind that each row names to the stack's grader functions; None for a Lambda of the team's own."""
        if self.kind != OWN:
            return self.kind
        return None if self.function.startswith("arn:") else f"{OWN_PREFIX}{self.function}"

    @property
    def reward_range(self) -> RewardRange:
        """The least and the greatest reward that the grader gives."""
        return RewardRange(*self.range)


class Rehearsal(_Section):
    """The grader's trial, before the job is paid for: the base model gives `samples` answers to `prompts` rows."""

    prompts: int = Field(16, ge=2, le=200)
    samples: int = Field(4, ge=2, le=16)
    temperature: float = Field(0.6, gt=0, le=2)


class Evaluation(_Section):
    """How base and tuned model are compared on the test set.

    `holdout` is the share of the training rows that becomes the test set if none was dropped. `pass_reward` is the
    reward from which an answer counts as right if the grader itself does not say. `checkpoints` says which models of
    the training are compared: the last, all of them, or the best on the share `validation` of the training rows, which
    are neither trained on nor tested on. `reference_models` are evaluated too, by the ids under which they answer;
    `slices` are fields of the rows: the difference is shown for each of their values. `tokens_per_minute` is a quota
    that the evaluation does not exceed; prompt and `max_tokens` count together, as the service counts them.
    `reasoning_effort` is how much the models think before they answer, also in the rehearsal: by default as much as in
    the training (`hyperparameters.reasoningEffort`). `max_tokens` is by default no less than the training's
    `inferenceMaxTokens`.
    """

    samples: int = Field(1, ge=1, le=16)
    temperature: float = Field(0.0, ge=0, le=2)
    max_tokens: int = Field(1024, ge=1, le=MOST_ANSWER_TOKENS)
    reasoning_effort: Literal["", "low", "medium", "high"] = ""
    rows: int | None = Field(None, ge=1)
    concurrency: int = Field(8, ge=1, le=200)
    in_flight: int = Field(16, ge=1, le=128)
    holdout: float = Field(0.1, gt=0, le=0.5)
    pass_reward: float = Field(0.5, gt=0, le=1)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    checkpoints: Literal["last", "all", "best"] = "last"
    validation: float = Field(0.1, gt=0, le=0.5)
    reference_models: tuple[_ModelId, ...] = Field((), max_length=4)
    slices: tuple[_Label, ...] = Field((), max_length=5)
    tokens_per_minute: int | None = Field(None, ge=1)


class Gates(_Section):
    """What must hold before a job is paid for, and before a model counts as better.

    Rewards are given as shares of the grader's range: 0.01 is a hundredth of the way from its least reward to its
    greatest.
    """

    least_baseline: float = Field(0.01, ge=0, le=1)
    most_baseline: float = Field(0.95, ge=0, le=1)
    least_groups_with_signal: float = Field(0.1, ge=0, le=1)
    most_grader_errors: float = Field(0.02, ge=0, le=1)
    least_reference: float = Field(0.9, ge=0, le=1)
    cheat_margin: float = Field(0.1, ge=0, le=1)
    most_unstable: float = Field(0.0, ge=0, le=1)
    most_step_seconds: float = Field(60, gt=0, le=900)
    most_ungraded: float = Field(0.2, ge=0, le=1)
    level: float = Field(0.05, ge=1e-6, lt=0.5)
    least_difference: float = Field(0.0, ge=0, le=1)


class Prices(_Section):
    """The prices of the training, in dollars. None is published, so only the prices that are given here count."""

    hour: float = Field(0.0, ge=0)
    step: float = Field(0.0, ge=0)
    grading: float = Field(0.0, ge=0)

    @property
    def given(self) -> bool:
        """Whether the recipe gives any price."""
        return bool(self.hour or self.step or self.grading)


class Queue(_Section):
    """How the run waits for its turn to train.

    Runs of a team with a greater `priority` go first; between teams it counts for nothing. A run that has had no turn
    after `wait_hours` fails.
    """

    priority: int = Field(0, ge=0, le=9)
    wait_hours: float = Field(MOST_WAIT_HOURS, gt=0, le=MOST_WAIT_HOURS)


class Budget(_Section):
    """The most that the training may use; beyond it the job is cancelled. A grading is one graded answer."""

    hours: float = Field(_HOURS_72, gt=0, le=_HOURS_72)
    stuck_hours: float = Field(6, gt=0, le=_HOURS_72)
    deployment_hours: float = Field(2, gt=0, le=24)
    steps: int | None = Field(None, ge=1)
    gradings: int | None = Field(None, ge=1)
    dollars: float | None = Field(None, gt=0)
    prices: Prices = Prices()


FindingName = Literal[
    "reward_plateau", "entropy_collapse", "exploding_gradients", "verbosity", "grader_errors", "all_equal_groups"
]


class Health(_Section):
    """Which findings about the training end the run; any other is a warning."""

    stop_on: tuple[FindingName, ...] = ()


class Cleanup(_Section):
    """What stays at Bedrock when the run has ended. A deployment that is kept is paid by the token."""

    delete_files: bool = False
    keep_deployment: bool = False


class Promotion(_Section):
    """The SSM parameter that receives the model's id if the verdict is `improved`.

    Its name is below `/tunedrop/<stack>/`, because PromoteModel's role can write no other: so a recipe cannot overwrite
    a parameter of another stack or of anyone else. `resolve` checks the stack's name; records of earlier versions have
    other paths. With `approval`, a person has `approval_hours` to approve; no answer means no.
    """

    parameter: str = Field(
        pattern=r"^/tunedrop(/[A-Za-z0-9_.\-]{1,128}){1,6}$",
        description="/tunedrop/ and 1 to 6 names, parted by / (each 1 to 128 of A-Z, a-z, 0-9, _, . and -)",
    )
    approval: bool = False
    approval_hours: float = Field(24, ge=1 / 3600, le=_HOURS_72)


class Recipe(_Section):
    """A run's whole recipe, resolved: every field has its value as soon as the rows are counted.

    `resumes` names an earlier run whose finished job this run takes over; `evaluate_only` names a tuned model. With
    either of them, nothing is trained.
    """

    model: str = Field(
        "", description="the id of a model that trains in the stack's Region; empty for the default there"
    )
    hyperparameters: dict[str, int | float | str] = Field(
        default_factory=dict, description="fields: numbers or texts, by the hyperparameter's name"
    )
    grader: GraderChoice = GraderChoice()
    rehearsal: Rehearsal = Rehearsal()
    evaluation: Evaluation = Evaluation()
    gates: Gates = Gates()
    queue: Queue = Queue()
    budget: Budget = Budget()
    health: Health = Health()
    cleanup: Cleanup = Cleanup()
    resumes: str = Field("", max_length=64, pattern=_ONE_LINE)
    evaluate_only: str = Field("", max_length=2048, pattern=_ONE_LINE)
    promotion: Promotion | None = None
    labels: dict[_Label, _Label] = Field(
        default_factory=dict,
        max_length=20,
        description="at most 20 names with texts, each one line of 1 to 128 characters",
    )

    @property
    def catalog_model(self) -> catalog.Model:
        """The catalog's entry of the recipe's model."""
        return catalog.find(self.model)

    @property
    def trains(self) -> bool:
        """Whether the run has a job of its own."""
        return not (self.resumes or self.evaluate_only)

    @property
    def chooses_checkpoint(self) -> bool:
        """Whether the tuned model is the best of the training's checkpoints, chosen on rows that are kept for this."""
        return self.evaluation.checkpoints == "best" and not self.evaluate_only

    @property
    def typed_hyperparameters(self) -> dict[str, int | float | str]:
        """The hyperparameters in the service's types: a stored 1.0 is read as 1, and becomes a float again."""
        kinds = self.catalog_model.hyperparameters
        return {name: kinds[name].kind(value) for name, value in self.hyperparameters.items()}
