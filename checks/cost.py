"""What Tunedrop costs: three scenarios by a dated table of AWS's unit prices. Bedrock prices training and tokens.

python -m checks.cost       prints docs/cost.md (`make pages` writes it)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

from checks import sam_template
from tunedrop.queue.pace import turn_wait_seconds
from tunedrop.recipe import Evaluation
from tunedrop.states.plan_evaluation import ASSUMED_LATENCY_SECONDS, rows_a_shard
from tunedrop.states.poll_job import wait_seconds

PRICES_OF = "January 2026"
"""When the prices below were AWS's public list prices for us-west-2, as the author knew them; no program reads them."""

PRICES: Mapping[str, tuple[float, str]] = {
    "Lambda, GB-second on arm64": (0.0000133334, "https://aws.amazon.com/lambda/pricing/"),
    "Lambda, request": (0.20 / 1e6, "https://aws.amazon.com/lambda/pricing/"),
    "Step Functions, state transition": (0.025 / 1e3, "https://aws.amazon.com/step-functions/pricing/"),
    "S3, GB-month": (0.023, "https://aws.amazon.com/s3/pricing/"),
    "S3, write request": (0.005 / 1e3, "https://aws.amazon.com/s3/pricing/"),
    "S3, read request": (0.0004 / 1e3, "https://aws.amazon.com/s3/pricing/"),
    "DynamoDB, write unit": (0.625 / 1e6, "https://aws.amazon.com/dynamodb/pricing/on-demand/"),
    "DynamoDB, read unit": (0.125 / 1e6, "https://aws.amazon.com/dynamodb/pricing/on-demand/"),
    "CloudWatch, alarm metric a month": (0.10, "https://aws.amazon.com/cloudwatch/pricing/"),
    "CloudWatch, dashboard a month": (3.00, "https://aws.amazon.com/cloudwatch/pricing/"),
    "CloudWatch, own metric a month": (0.30, "https://aws.amazon.com/cloudwatch/pricing/"),
    "CloudWatch, GB of logs": (0.50, "https://aws.amazon.com/cloudwatch/pricing/"),
    "KMS, key a month": (1.00, "https://aws.amazon.com/kms/pricing/"),
    "KMS, request": (0.03 / 1e4, "https://aws.amazon.com/kms/pricing/"),
    "X-Ray, trace": (5.00 / 1e6, "https://aws.amazon.com/xray/pricing/"),
    "SNS, request": (0.50 / 1e6, "https://aws.amazon.com/sns/pricing/"),
}
"""Dollars by unit, and the page that has them. Free tiers are left out."""

MONTH_SECONDS = 730 * 3600
BATCH = 8
"""Answers that a grader gets at a time, as a training asks."""


class Item(NamedTuple):
    """So many units of one price."""

    unit: str
    number: float
    what: str

    @property
    def dollars(self) -> float:
        return self.number * PRICES[self.unit][0]


class Run(NamedTuple):
    """One run's size: rows, hours of training, candidates that are evaluated, answers that training has graded."""

    rows: int
    test_rows: int
    hours: float
    candidates: int
    graded: int
    megabytes: float


SMALL = Run(rows=300, test_rows=250, hours=1, candidates=2, graded=300 * 8, megabytes=1)
LARGEST = Run(rows=20_000, test_rows=20_000, hours=72, candidates=3, graded=20_000 * 8, megabytes=200)


def resources() -> Mapping[str, Any]:
    """The resources of the template as it is written."""
    found: Mapping[str, Any] = sam_template.read()["Resources"]
    return found


def memory(function: str) -> float:
    """Gigabytes of a function."""
    return float(resources()[function]["Properties"].get("MemorySize", 512)) / 1024


def _alarms() -> list[Mapping[str, Any]]:
    return [each["Properties"] for each in resources().values() if each["Type"] == "AWS::CloudWatch::Alarm"]


def metrics_watched() -> int:
    """How many metrics the alarms watch."""
    return sum(sum("MetricStat" in each for each in alarm.get("Metrics", ())) or 1 for alarm in _alarms())


def dollars(items: Iterable[Item]) -> float:
    """What all the items cost together."""
    return sum(each.dollars for each in items)


def idle_month() -> str:
    """What an idle month costs in whole dollars, without the dashboard, such as `$8`."""
    return f"${dollars(idle()) - PRICES['CloudWatch, dashboard a month'][0]:.0f}"


def idle() -> Iterator[Item]:
    """A month in which nothing is dropped."""
    template = sam_template.read()
    sweeps = MONTH_SECONDS / 60 / template["Parameters"]["SweepMinutes"]["Default"]
    yield Item("CloudWatch, alarm metric a month", metrics_watched(), f"{len(_alarms())} alarms")
    yield Item("CloudWatch, dashboard a month", 1, "free where the account has its three free ones left")
    yield Item("KMS, key a month", 1, "with `Encryption=customer`; none with `aws`")
    yield Item("Lambda, GB-second on arm64", sweeps * 1.0 * memory("SweepRuns"), "a sweep of a second every 15 minutes")
    yield Item("Lambda, request", sweeps, "sweeps")
    yield Item("X-Ray, trace", sweeps * 0.05, "a twentieth of the invocations is traced, and the first of each second")
    yield Item("KMS, request", sweeps * 4, "tables and logs")


def polls(hours: float) -> int:
    """Looks at a job, by the template's defaults and as PollJob waits between them."""
    parameters = sam_template.read()["Parameters"]
    first, later = (parameters[name]["Default"] for name in ("FirstPollSeconds", "LaterPollSeconds"))
    looks, age = 0, first
    while age <= hours * 3600:
        looks += 1
        age += wait_seconds(age, first, later)
    return looks


def turns(hours: float) -> int:
    """Looks of a run that waits for its turn to train, by the template's defaults and as AwaitTurn waits between."""
    first = sam_template.read()["Parameters"]["FirstPollSeconds"]["Default"]
    looks, waited = 0, 0
    while waited <= hours * 3600:
        looks += 1
        waited += turn_wait_seconds(waited, first)
    return looks


def waiting() -> Iterator[Item]:
    """A day of waiting for a turn to train."""
    looks = turns(24)
    yield Item("Step Functions, state transition", 3 * looks, f"{looks} times it asks whether it is the run's turn")
    yield Item("Lambda, GB-second on arm64", looks * 0.3 * memory("AwaitTurn"), "0.3 s each time")
    yield Item("Lambda, request", looks, "one each time")
    yield Item("DynamoDB, write unit", looks * 3 * 8, "the record of 8 KB, and twice that for an index")
    yield Item("DynamoDB, read unit", looks * (2 + 10 * 2 + 5), "the record, ten runs that train, a queue of 100")
    yield Item("CloudWatch, GB of logs", looks / 1024**2, "a line each")
    yield Item("KMS, request", looks * 4, "with `Encryption=customer`")


def of_run(run: Run) -> Iterator[Item]:
    """One run from its drop to its notice."""
    evaluation = Evaluation()
    answers = run.test_rows * run.candidates
    shards = run.candidates * ceil(run.test_rows / rows_a_shard(run.test_rows, evaluation, ASSUMED_LATENCY_SECONDS))
    looks = polls(run.hours)
    yield Item(
        "Step Functions, state transition",
        23 + 3 * looks + 3 * shards,
        f"{looks} looks at the job, {shards} shards",
    )
    asking = answers * ASSUMED_LATENCY_SECONDS / evaluation.in_flight
    yield Item(
        "Lambda, GB-second on arm64",
        asking * memory("EvaluateShard"),
        f"{answers:,} answers of {ASSUMED_LATENCY_SECONDS:.0f} s each, {evaluation.in_flight} at a time",
    )
    grading = (run.graded + answers) / BATCH
    yield Item(
        "Lambda, GB-second on arm64",
        grading * 0.1 * memory("GraderPlain"),
        f"{run.graded + answers:,} answers graded, {BATCH} in 0.1 s",
    )
    once = {
        "ValidateDataset": run.megabytes * 0.5 + 2,
        "RehearseGrader": 120,
        "SubmitJob": 20,
        "ConcludeRun": answers / 2_000 + 5,
    }
    yield Item(
        "Lambda, GB-second on arm64",
        sum(seconds * memory(name) for name, seconds in once.items()),
        "checking, rehearsing, submitting, concluding",
    )
    yield Item("Lambda, GB-second on arm64", looks * 1.5 * memory("PollJob"), "looking at the job")
    yield Item("Lambda, request", looks + grading + shards + 10, "all of these")
    yield Item("DynamoDB, write unit", looks * 6 + run.graded / 64, "the record, and an event a step")
    yield Item("DynamoDB, read unit", looks * 4 + shards * 2, "the record")
    yield Item("S3, write request", answers / 64 + 40, "a part of 64 answers each, and the folder")
    yield Item("S3, read request", answers / 32 + 100, "the same, twice")
    yield Item(
        "S3, GB-month", (run.megabytes * 3 + answers * 4 / 1024) / 1024, "dataset, copies and answers for a month"
    )
    yield Item("CloudWatch, GB of logs", (looks * 3 + shards * 5 + grading) / 1024**2 * 2, "some lines each")
    yield Item("KMS, request", looks * 4 + shards * 4, "with `Encryption=customer`")
    yield Item("SNS, request", 3, "notices")


SCENARIOS = (
    ("A month left idle", "The stack exists, and nobody drops a dataset.", idle),
    (
        "A day of waiting for a turn",
        "One run waits. Ten runs may train at once: ten train, and a hundred wait.",
        waiting,
    ),
    ("A small run", "300 rows, 250 test rows, an hour of training: the size of `make demo`.", lambda: of_run(SMALL)),
    (
        "The largest run",
        "20,000 rows and 20,000 test rows, three candidates, 72 hours of training.",
        lambda: of_run(LARGEST),
    ),
)

HEADING = """# What it costs

`make pages` writes this page from the template and AWS's list prices for us-west-2 of {date}. Nobody looks the prices
up again: check the pages named below before you rely on them. The sizes and durations behind the numbers are estimates.
The page leaves out free tiers, and everything that Bedrock charges for.

**Bedrock's part is missing.** We know of no published price for reinforcement fine-tuning, and each model has its own
price for tokens. If you know the prices of training, enter them in the recipe (`budget.prices.hour`, `.step`,
`.grading`); then a run ends when its training has cost `budget.dollars`. A run's report shows the tokens and the hours
that it used.
"""


def page() -> str:
    """docs/cost.md."""
    lines = [HEADING.format(date=PRICES_OF)]
    for title, what, items in SCENARIOS:
        listed = list(items())
        lines += [f"## {title}: ${dollars(listed):.2f}", "", what]
        lines += ["", "| what | number | dollars | for |", "|---|---:|---:|---|"]
        lines += [f"| {each.unit} | {each.number:,.0f} | {each.dollars:.4f} | {each.what} |" for each in listed]
        lines.append("")
    lines += ["## Unit prices", "", "| unit | dollars | page |", "|---|---:|---|"]
    lines += [
        f"| {unit} | {price:.10f} | {source} |".replace("0000 |", " |") for unit, (price, source) in PRICES.items()
    ]
    lines += [
        "",
        "## What changes it",
        "",
        "- Alarms are the largest part of an idle month. Nothing depends on them: delete those that you do not want.",
        "- Each of Tunedrop's own metrics costs $0.30 in every month in which it is sent. There are some 35 of them if",
        "  all four grader functions are used, and three more for each further grader version used in that month.",
        "- Waiting for models is the largest part of an evaluation: a larger `evaluation.in_flight` makes it cheaper.",
        "- What stays after the stack is gone still costs money: storage, and $1 a month for the key.",
    ]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - its output
