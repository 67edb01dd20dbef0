"""What a grader tells CloudWatch of its batches, and how a training's watcher reads it again.

The grader prints the embedded metric format, which CloudWatch reads from its log: no call, no right, no waiting. One
time series a published version: that is what a run pins, so runs that use the same version at the same time share it.
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

NAMESPACE = "Tunedrop"
ANSWERS = "GradedAnswers"
ERRORS = "GraderErrors"
GRADER = "grader"
FUNCTION = "function"
ZERO_SHARE = "ZeroRewardShare"
"""The share of a batch's answers that scored zero: an alarm tells when it stays at 1."""

PERIOD_SECONDS = 3600
"""One sum an hour: a run of 336 hours needs 337 of the 1,440 datapoints that CloudWatch answers at the most."""


class MetricReader(Protocol):
    """What is used of CloudWatch's client."""

    def get_metric_statistics(self, **query: Any) -> Any:
        """The datapoints of one metric."""


def batch_line(
    function: str, version: str, *, answers: int, errors: int, refused: int, zeros: int, seconds: float, now: float
) -> dict[str, Any]:
    """The log line of one batch, which is its metrics, too. `now` in seconds since the epoch.

    `refused` is how many of the errors are rows that name no grader that the function may run: a property of the line,
    as a metric of its own would be paid for.
    """
    return {
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [[GRADER], [FUNCTION]],
                    "Metrics": [
                        *({"Name": name, "Unit": "Count"} for name in (ANSWERS, ERRORS)),
                        {"Name": ZERO_SHARE, "Unit": "None"},
                    ],
                }
            ],
        },
        GRADER: f"{function}:{version}",
        FUNCTION: function,
        ZERO_SHARE: zeros / answers if answers else 0.0,
        ANSWERS: answers,
        ERRORS: errors,
        "refused": refused,
        "message": "graded",
        "seconds": seconds,
    }


def count(client: MetricReader, grader_arn: str, since: datetime, until: datetime) -> tuple[int, int]:
    """How many answers the grader version graded between the two moments, and on how many it failed.

    CloudWatch may lag some minutes behind. A function that is not one of Tunedrop's tells nothing: (0, 0).
    """
    name = ":".join(grader_arn.split(":")[6:8])
    sums = []
    for metric in (ANSWERS, ERRORS):
        told = client.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": GRADER, "Value": name}],
            StartTime=since,
            EndTime=until,
            Period=PERIOD_SECONDS,
            Statistics=["Sum"],
        )
        points = told.get("Datapoints") or []
        sums.append(int(sum(each.get("Sum") or 0 for each in points)))
    return sums[0], sums[1]
