"""The stages of a run: the states of the pipeline in their order, and what people call them and read about them.

The record's field `stage` names the stage that worked last. The report shows the titles with their times, the API says
what a run does, and the command shows all stages. A stage has the name of the state that does its work; the short
states around it (a Wait, a Choice) belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name, its states, and its `title` as a heading.

    `afterwards` says what a run does that has this stage behind it; empty for a stage that no record names. A run comes
    through an `optional` stage only if its recipe asks for that.
    """

    name: str
    states: tuple[str, ...]
    title: str
    afterwards: str = ""
    optional: bool = False


STAGES = (
    Stage(
        "RegisterRun",
        ("RegisterRun", "Registered?"),
        "Registering",
        "Registered; Tunedrop looks for its inputs.",
    ),
    Stage("Settle", ("Settle",), "Waiting for the other files"),
    Stage(
        "ResolveInputs",
        ("ResolveInputs", "PublishStart"),
        "Settling, and pinning the inputs",
        "Its inputs are pinned; Tunedrop checks the dataset.",
    ),
    Stage(
        "ValidateDataset",
        ("ValidateDataset",),
        "Checking the dataset",
        "The dataset is valid; Tunedrop rehearses the grader.",
    ),
    Stage(
        "RehearseGrader",
        ("RehearseGrader",),
        "Rehearsing the grader",
        "The rehearsal went well; the run asks for its turn to train.",
    ),
    Stage(
        "AwaitTurn",
        ("AwaitTurn", "Turn?", "PublishWait", "WaitForTurn"),
        "Waiting for its turn",
        "The run waits for its turn to train.",
    ),
    Stage(
        "SubmitJob",
        ("SubmitJob", "Submitted?"),
        "Submitting the job",
        "The training job is submitted.",
    ),
    Stage(
        "PollJob",
        ("WaitForTraining", "PollJob", "Ready?", "PublishWarning"),
        "Training",
        "Tunedrop watches the training job.",
    ),
    Stage(
        "PlanEvaluation",
        ("PlanEvaluation",),
        "Planning the evaluation",
        "Tunedrop compares the base model and the tuned model.",
    ),
    Stage(
        "EvaluateShards",
        ("EvaluateShards", "Compared?"),
        "Asking and grading",
        "All answers are there; Tunedrop decides the verdict.",
    ),
    Stage(
        "ConcludeRun",
        ("ConcludeRun", "Promote?"),
        "Concluding",
        "Tunedrop has decided the verdict.",
    ),
    Stage("PromoteModel", ("PromoteModel", "Told?"), "Promoting the model", optional=True),
    Stage("PublishNotice", ("PublishNotice", "MarkNotified", "Approval?"), "Publishing the notice"),
    Stage("AskForApproval", ("AskForApproval", "WaitForApproval"), "Waiting for approval", optional=True),
)

ORDER = tuple(stage.name for stage in STAGES)

BY_NAME: Mapping[str, Stage] = {stage.name: stage for stage in STAGES}

STAGE_OF_STATE: Mapping[str, str] = {state: stage.name for stage in STAGES for state in stage.states}
"""The stage to which a state belongs; a test compares it with the states of the deployed pipeline."""
