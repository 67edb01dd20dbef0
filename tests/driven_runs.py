"""The runs that drive each option of a recipe and each parameter of the template, from their start to their notice.

Data alone. `tests/workflow/pipeline/test_driven_runs.py` and the one in `tests/workflow/deployments/` take each run
through; `tests/template/test_options_driven.py` looks for an option that none of them uses. Whoever adds an option puts
it into one of these recipes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.driven_deployments import CLOSED, DEV, EAST, SIGNED, Deployment
from tunedrop import recipe_text

EXAMPLES = Path(__file__).parents[1] / "events/datasets"

OWN_GRADER = "$own"
"""In a recipe: the ARN of the published version of a grader function of the team's own, which gives -1 or 1."""
EARLIER_RUN = "$run"
"""In a recipe: the id of the run that `after` names."""
EARLIER_MODEL = "$model"
"""In a recipe: the tuned model of the run that `after` names."""


@dataclass(frozen=True, slots=True)
class DrivenRun:
    """One run, from its start to its notice.

    `recipe` is dropped as recipe.yaml, or as `recipe_as`, or sent with the call; None is no recipe. The rows are the
    example folder `example`, or so many of GSM8K's rows: `train` and `test`; 0 test rows are no test file. `call` is
    how the API is told of the dataset (`upload`, `uri`, `none`), empty for a drop; `name_begins` is the team's prefix.
    `after` is the run that must have ended before. `status`, `error` and `verdict` are its end, an empty one any;
    `shows` is what the notice says at a path of its fields. `switches` are those of the local Bedrock. `decide` is what
    a person does who is asked, by the command `tunedrop`: approve or reject, as the role `decider`. What takes longer
    than a few seconds is `prove`.
    """

    name: str
    deployment: Deployment
    recipe: Mapping[str, Any] | None
    recipe_as: str = "recipe.yaml"
    example: str = ""
    train: int = 100
    test: int = 20
    call: str = ""
    after: str = ""
    status: str = "SUCCEEDED"
    error: str = ""
    verdict: str = ""
    shows: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, Any] = field(default_factory=dict)
    decide: str = ""
    decider: str = "red-pipeline"
    prove: bool = True


def named(recipe: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Each value in a recipe by its path; a list, the grader's options and the labels are one value each."""
    for name, value in recipe.items():
        path = f"{within}{name}"
        if isinstance(value, Mapping) and path not in ("grader.options", "labels"):
            yield from named(value, f"{path}.")
        else:
            yield path, value


def example_recipe(name: str) -> Mapping[str, Any] | None:
    """The recipe in an example folder; None where it has none."""
    path = EXAMPLES / name / "recipe.yaml"
    return recipe_text.parse(path.read_bytes(), path.name) if path.exists() else None


QUICK_REHEARSAL = {"prompts": 8, "samples": 4}
NOVA = "amazon.nova-2-lite-v1:0:256k"
SLOW_STEPS = {"step_seconds": 0.25}
PLACE = "/tunedrop/tunedrop/driven/model"

# Each of the other options has an effect that costs this run nothing.
MANY_OPTIONS: Mapping[str, Any] = {
    "model": "openai.gpt-oss-20b",
    "hyperparameters": {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 1.5},
    "grader": {"kind": "own", "function": OWN_GRADER, "options": {"strict": True}, "range": [-1, 1]},
    "rehearsal": {"prompts": 9, "samples": 3, "temperature": 0.7},
    "evaluation": {
        "samples": 2,
        "temperature": 0.3,
        "max_tokens": 900,
        "reasoning_effort": "low",
        "rows": 12,
        "concurrency": 2,
        "in_flight": 4,
        "pass_reward": 0.6,
        "seed": 3,
        "checkpoints": "best",
        "validation": 0.2,
        "reference_models": ["openai.gpt-oss-120b"],
        "slices": ["length"],
        "tokens_per_minute": 5_000_000,
    },
    "gates": {
        "least_baseline": 0.02,
        "most_baseline": 0.97,
        "least_groups_with_signal": 0.05,
        "most_grader_errors": 0.03,
        "least_reference": 0.8,
        "cheat_margin": 0.2,
        "most_unstable": 0.01,
        "most_step_seconds": 90,
        "most_ungraded": 0.3,
        "level": 0.1,
        "least_difference": 0.01,
    },
    "queue": {"priority": 3, "wait_hours": 5},
    "budget": {
        "hours": 20,
        "stuck_hours": 5,
        "deployment_hours": 1,
        "steps": 5_000,
        "gradings": 500_000,
        "dollars": 900.5,
        "prices": {"hour": 0.5, "step": 0.01, "grading": 0.001},
    },
    "health": {"stop_on": ["exploding_gradients", "grader_errors"]},
    "cleanup": {"delete_files": True},
    "labels": {"purpose": "every option", "größe": "klein"},
}

COMPOSITE = {
    "kind": "composite",
    "options": {"parts": {"value": {"kind": "math", "weight": 3}, "form": {"kind": "math", "weight": 1}}},
}
# Nobody writes the reference word for word: every reward is 0, and the gates let it pass.
HOPELESS = {"grader": {"kind": "exact"}, "gates": {"least_baseline": 0, "least_groups_with_signal": 0}}
ALL_FINDINGS = [
    "reward_plateau",
    "entropy_collapse",
    "exploding_gradients",
    "verbosity",
    "grader_errors",
    "all_equal_groups",
]


def _over(limit: str, budget: Mapping[str, Any]) -> DrivenRun:
    """A run whose training is stopped by one limit of its budget."""
    return DrivenRun(
        name=f"over-{limit}",
        deployment=DEV,
        recipe={"rehearsal": QUICK_REHEARSAL, "hyperparameters": {"n_epochs": 3}, "budget": budget},
        status="FAILED",
        error="BudgetExceeded",
        switches=SLOW_STEPS,
    )


# A judge that is mistaken at times may be taken for one that can be cheated, by 16 answers.
SURE_JUDGE = {"judge_error_share": 0.0}


def _example(name: str) -> DrivenRun:
    return DrivenRun(
        name=f"example-{name}",
        deployment=DEV,
        recipe=example_recipe(name),
        example=name,
        verdict="improved",
        switches=SURE_JUDGE if name == "judge" else {},
    )


RUNS: tuple[DrivenRun, ...] = (
    DrivenRun(
        name="many-options",
        deployment=DEV,
        recipe=MANY_OPTIONS,
        recipe_as="recipe.json",
        train=150,
        shows={"evaluation.rows": 12, "may_still_cost": []},
    ),
    *(_example(name) for name in ("gsm8k", "extraction", "tools", "code", "moderation", "judge")),
    DrivenRun(
        name="all-checkpoints-of-qwen",
        deployment=DEV,
        recipe={
            "model": "qwen.qwen3-32b",
            "hyperparameters": {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": 0.5},
            "rehearsal": QUICK_REHEARSAL,
            "evaluation": {"checkpoints": "all", "holdout": 0.2},
        },
        train=150,
        test=0,
        shows={"base_model": "qwen.qwen3-32b"},
    ),
    DrivenRun(
        name="approved",
        deployment=DEV,
        recipe={
            "grader": COMPOSITE,
            "hyperparameters": {"n_epochs": 2},
            "rehearsal": QUICK_REHEARSAL,
            "evaluation": {"reasoning_effort": "high"},
            "promotion": {"parameter": PLACE, "approval": True, "approval_hours": 2},
        },
        test=150,
        verdict="improved",
        shows={"promotion.wanted": True, "promotion.done": False},
        decide="approve",
    ),
    DrivenRun(
        name="goes-on",
        deployment=DEV,
        recipe={
            "grader": COMPOSITE,
            "rehearsal": QUICK_REHEARSAL,
            "evaluation": {"reasoning_effort": "medium"},
            "resumes": EARLIER_RUN,
        },
        after="approved",
        test=150,
    ),
    DrivenRun(
        name="evaluated-alone",
        deployment=DEV,
        recipe={
            "rehearsal": QUICK_REHEARSAL,
            "evaluate_only": EARLIER_MODEL,
            "promotion": {"parameter": f"{PLACE}-alone"},
        },
        after="approved",
        test=150,
        verdict="improved",
        shows={"training": None, "promotion.done": True},
    ),
    DrivenRun(
        name="unhealthy",
        deployment=DEV,
        recipe={
            **HOPELESS,
            "rehearsal": QUICK_REHEARSAL,
            "hyperparameters": {"n_epochs": 2},
            "health": {"stop_on": ALL_FINDINGS},
        },
        status="FAILED",
        error="TrainingUnhealthy",
        switches=SLOW_STEPS,
    ),
    _over("steps", {"steps": 1}),
    _over("gradings", {"gradings": 40}),
    _over("dollars", {"dollars": 0.05, "prices": {"hour": 0.1, "step": 0.02, "grading": 0.001}}),
    _over("hours", {"hours": 0.0005}),
    DrivenRun(
        name="stuck",
        deployment=DEV,
        recipe={"rehearsal": QUICK_REHEARSAL, "budget": {"stuck_hours": 0.0005}},
        status="FAILED",
        error="TrainingStuck",
        switches={"step_seconds": 30},
    ),
    DrivenRun(
        name="judge-by-call",
        deployment=CLOSED,
        recipe={**(example_recipe("judge") or {}), "promotion": {"parameter": "/tunedrop/tunedrop/red/judged"}},
        example="judge",
        call="uri",
        verdict="improved",
        switches=SURE_JUDGE,
        # Its recipe loosens a gate, so the team's rule asks a person.
        shows={"team": "red", "promotion.done": False, "promotion.approval.asked": True},
        decide="approve",
        decider="red-lead",
    ),
    DrivenRun(
        name="goes-on-by-call",
        deployment=CLOSED,
        recipe=None,
        call="none",
        after="judge-by-call",
        verdict="improved",
        switches=SURE_JUDGE,
        shows={"team": "red", "promotion.done": False, "promotion.approval.asked": True},
        decide="reject",
        decider="red-lead",
    ),
    DrivenRun(
        name="uploaded-by-call",
        deployment=CLOSED,
        recipe={
            "hyperparameters": {"n_epochs": 2},
            "rehearsal": QUICK_REHEARSAL,
            "promotion": {"parameter": "/tunedrop/tunedrop/red/model"},
        },
        test=150,
        call="upload",
        verdict="improved",
        shows={"team": "red", "promotion.done": True, "promotion.approval.asked": False},
    ),
    DrivenRun(
        name="over-the-operator-s-limit",
        deployment=CLOSED,
        recipe={"evaluation": {"reference_models": ["openai.gpt-oss-120b"], "samples": 16, "max_tokens": 60_000}},
        call="upload",
        status="REJECTED",
        error="LimitExceeded",
        shows={"team": "red", "training": None},
    ),
    DrivenRun(
        name="signed",
        deployment=SIGNED,
        recipe={**(example_recipe("judge") or {}), "cleanup": {"delete_files": True}},
        example="judge",
        verdict="improved",
        switches=SURE_JUDGE,
    ),
    DrivenRun(
        name="nova",
        deployment=EAST,
        recipe={
            "model": NOVA,
            "hyperparameters": {
                "epochCount": 2,
                "batchSize": 16,
                "learningRate": 2e-5,
                "maxPromptLength": 4096,
                "trainingSamplePerPrompt": 4,
                "inferenceMaxTokens": 1500,
                "reasoningEffort": "low",
                "evalInterval": 20,
            },
            "rehearsal": QUICK_REHEARSAL,
            "cleanup": {"keep_deployment": True},
        },
        shows={"base_model": NOVA, "released": []},
    ),
    DrivenRun(
        name="nova-thinks-hard",
        deployment=EAST,
        recipe={"rehearsal": QUICK_REHEARSAL, "hyperparameters": {"reasoningEffort": "high"}},
        test=60,
        shows={"base_model": NOVA, "evaluation.rows": 60},
    ),
    DrivenRun(
        name="nova-undeployed",
        deployment=EAST,
        recipe={
            "rehearsal": QUICK_REHEARSAL,
            "hyperparameters": {"reasoningEffort": "medium"},
            "budget": {"deployment_hours": 0.0005},
        },
        status="FAILED",
        error="DeploymentFailed",
        switches={"deploying_seconds": 60},
    ),
)

NOT_ON_ONE_MACHINE: Mapping[str, str] = {
    "parameter LaterPollSeconds": "it is the wait of jobs that are 15 minutes old, and none here gets so old; see "
    "tests/unit/states/test_poll_job.py",
}
"""What none of the runs can use: the option, why, and the test that holds it instead."""
