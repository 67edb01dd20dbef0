"""What goes wrong in a run: drawn from its seed alone, so that a run can be repeated."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tunedrop.stages import STAGES

PIPELINE = tuple(
    "EvaluateShard" if stage.name == "EvaluateShards" else stage.name for stage in STAGES if stage.afterwards
)
"""The functions of the pipeline's states; a Map has one for each of its shards."""
FUNCTIONS = (*PIPELINE, "ReleaseRun", "GraderPlain")

CALLS = (
    ("dynamodb", "GetItem"),
    ("dynamodb", "PutItem"),
    ("dynamodb", "UpdateItem"),
    ("dynamodb", "Query"),
    ("dynamodb", "BatchWriteItem"),
    ("s3", "GetObject"),
    ("s3", "PutObject"),
    ("s3", "HeadObject"),
    ("s3", "ListObjectsV2"),
    ("s3", "ListObjectVersions"),
    ("sns", "Publish"),
    ("states", "StartExecution"),
    ("states", "DescribeExecution"),
    ("lambda", "Invoke"),
)
OPEN_WEIGHT_ACTIONS = (
    "CreateFile",
    "ListFiles",
    "CreateFineTuningJob",
    "ListFineTuningJobs",
    "GetFineTuningJob",
    "CreateInference",
)
NOVA_ACTIONS = (
    "CreateModelCustomizationJob",
    "GetModelCustomizationJob",
    "StopModelCustomizationJob",
    "CreateCustomModelDeployment",
    "GetCustomModelDeployment",
    "ListCustomModelDeployments",
    "InvokeModel",
)
CALL_KINDS = ("throttled", "500", "503", "slow", "reset before", "reset after")
BEDROCK_KINDS = ("429", "500", "503", "reset", "hang", "cut", "malformed")
LAMBDA_KINDS = ("throttled", "500", "killed before", "killed between", "killed after", "timed out")
GRADER_KINDS = ("hangs", "lies about ids", "answers NaN", "answers too few", "answers too many")
EVENT_KINDS = (
    "uploads duplicated",
    "upload delayed",
    "end duplicated",
    "end delayed",
    "end dropped",
    "upload late again",
)
MOMENT_KINDS = (
    "stop",
    "bedrock restarts",
    "clock jumps",
    "disk full",
    "sweep",
    "keys expire",
    "recipe changed",
    "topic deleted",
    "file emptied",
    "file deleted",
)
MOMENTS = (*FUNCTIONS[:-1], "sns:Publish")
"""When a moment's fault happens: just before a function runs, or a notice is published."""

THOUGHTS = {
    "open weight": (
        *(("grader_reasoning", way) for way in ("field", "parts", "inline", "think", "closing", "harmony")),
        *(("chat_reasoning", way) for way in ("field", "inline", "think")),
    ),
    "nova": (*(("converse_reasoning", way) for way in ("text", "inline")), ("grader_reasoning", "parts")),
}
"""The switches of the local Bedrock by which a model's thoughts stand in its answers."""

REGIONS = {"open weight": "us-west-2", "nova": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. `what` it is about; it lets `skip` occasions pass, then happens `times` times."""

    kind: str
    what: str
    skip: int = 0
    times: int = 1
    amount: float = 0.0

    def __str__(self) -> str:
        amount = f" ({self.amount:+.0f} s)" if self.amount else ""
        return f"{self.what} {self.kind} x{self.times} after {self.skip}{amount}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run's seed, the family of its model, its faults, how stale Bedrock's lists are, and its dataset.

    `thoughts`: the switch of the local Bedrock, and its value, by which the model's thoughts are shown; None: they are
    not. `tools`: the rows ask for a call of a function, not for a number.
    """

    seed: int
    family: str
    faults: tuple[Fault, ...]
    list_lag_seconds: float
    broken_line: bool
    shuffled_upload: bool
    thoughts: tuple[str, str] | None
    tools: bool

    def __str__(self) -> str:
        told = [f"seed {self.seed}, {self.family}", *(str(fault) for fault in self.faults)]
        told += [f"lists lag by {self.list_lag_seconds:g} s"] * (self.list_lag_seconds > 0)
        told += ["a line is broken"] * self.broken_line + ["the files come in another order"] * self.shuffled_upload
        told += self.ways()
        return "; ".join(told)

    def ways(self) -> list[str]:
        """What is unusual about the run's answers, though nothing is wrong with it."""
        return ["tool calls"] * self.tools + ["thoughts"] * (self.thoughts is not None)


def family_of(seed: int) -> str:
    """One run in four trains a Nova model."""
    return "nova" if seed % 4 == 3 else "open weight"


def draw(seed: int) -> Schedule:
    """The schedule of a seed: in one run of twelve nothing goes wrong, in the others up to eight things."""
    chance = random.Random(f"tunedrop faults {seed}")
    family = family_of(seed)
    number = 0 if seed % 12 == 0 else 1 + min(7, int(chance.expovariate(0.4)))
    faults = tuple(_fault(chance, family) for _ in range(number))
    return Schedule(
        seed,
        family,
        faults,
        list_lag_seconds=chance.choice((0.0, 0.0, 0.1, 0.25)) if number else 0.0,
        broken_line=chance.random() < 0.05 and number > 0,
        shuffled_upload=chance.random() < 0.2,
        thoughts=chance.choice(THOUGHTS[family]) if chance.random() < 0.3 else None,
        tools=chance.random() < 0.15,
    )


def _fault(chance: random.Random, family: str) -> Fault:
    sort = chance.choices(("call", "bedrock", "lambda", "grader", "event", "moment"), (5, 5, 5, 2, 3, 3))[0]
    # Mostly what a few tries outlast; now and then an outage.
    times = chance.choices((1, 2, 3, 5, 40), (6, 3, 2, 2, 1))[0]
    if sort == "call":
        service, action = chance.choice(CALLS)
        return Fault(chance.choice(CALL_KINDS), f"{service}:{action}", int(chance.expovariate(0.25)), times)
    if sort == "bedrock":
        action = chance.choice(OPEN_WEIGHT_ACTIONS if family == "open weight" else NOVA_ACTIONS)
        return Fault(chance.choice(BEDROCK_KINDS), f"bedrock:{action}:{chance.choice(('before', 'after'))}", 0, times)
    if sort == "lambda":
        kind, function = chance.choice(LAMBDA_KINDS), chance.choice(FUNCTIONS)
        among = int(chance.expovariate(0.3)) if kind == "killed between" else chance.choice((0, 0, 0, 1))
        return Fault(kind, function, among, min(times, 5))
    if sort == "grader":
        return Fault(chance.choice(GRADER_KINDS), "GraderPlain", int(chance.expovariate(0.1)), min(times, 5))
    if sort == "event":
        return Fault(chance.choice(EVENT_KINDS), "events")
    kind = chance.choice(MOMENT_KINDS)
    jump = chance.choice((-3600.0, -90.0, -5.0, 5.0, 90.0, 3600.0)) if kind == "clock jumps" else 0.0
    return Fault(kind, chance.choice(MOMENTS), 0, 1, jump)
