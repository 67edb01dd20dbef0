"""Each alarm goes off for what it watches, by the arithmetic of its own metrics, and for nothing less."""

from __future__ import annotations

import operator
import re
from typing import Any, NamedTuple

import pytest

Alarm = dict[str, Any]

COMPARISONS = {"GreaterThanOrEqualToThreshold": operator.ge, "GreaterThanThreshold": operator.gt}


class Values(NamedTuple):
    """What one metric of an alarm shows in a period: when all is well, and when the alarm is to go off."""

    well: float
    badly: float


LONG_MILLISECONDS = 318 * 3_600_000
BY_METRIC = {
    "RunsEnded": Values(0, 1),
    "ExecutionsTimedOut": Values(0, 1),
    "ExecutionsFailed": Values(0, 1),
    "ExecutionThrottled": Values(0, 1),
    "ExecutionTime": Values(LONG_MILLISECONDS - 1, LONG_MILLISECONDS),
    "Errors": Values(0, 3),
    "Throttles": Values(0, 1),
    "GraderErrors": Values(1, 10),
    "ZeroRewardShare": Values(0.9, 1.0),
    "ApproximateNumberOfMessagesVisible": Values(0, 1),
    "5XXError": Values(2, 3),
    "aftermaths_started": Values(0, 1),
    "jobs_cancelled": Values(0, 1),
    "jobs_unowned": Values(0, 1),
    "deployments_unowned": Values(0, 1),
}
"""By the metric's name; a duration's depend on the timeout of its function, in DURATIONS."""


@pytest.fixture
def alarms(resources: dict[str, Any]) -> dict[str, Alarm]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"}


def metrics(alarm: Alarm) -> dict[str, dict[str, Any]]:
    """Each metric by its id; `one` where the alarm has a single one."""
    if "MetricName" in alarm:
        return {"one": alarm}
    return {each["Id"]: each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each}


def values(alarm: Alarm, name: str, metric: dict[str, Any]) -> Values:
    if metric["MetricName"] != "Duration":
        return BY_METRIC[metric["MetricName"]]
    (expression,) = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    (timeout,) = re.findall(rf"\b{name}/(\d+)", expression)
    return Values(int(timeout) * 0.79, int(timeout) * 0.81)


def result(alarm: Alarm, shown: dict[str, float]) -> float | None:
    """What the alarm compares with its threshold, of the metrics that have data; None where none has.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    if not shown:
        return None
    expressions = [each["Expression"] for each in alarm.get("Metrics", ()) if "Expression" in each]
    if not expressions:
        return shown["one"]
    (expression,) = expressions
    function, argument = re.fullmatch(r"(SUM|MAX)\((.*)\)", expression).groups()  # type: ignore[union-attr]  # another form fails here
    terms = re.findall(r"(\w+)/(\d+)", argument) if argument != "METRICS()" else [(name, "1") for name in shown]
    computed = [shown[name] / int(divisor) for name, divisor in terms if name in shown]
    return sum(computed) if function == "SUM" else max(computed)


def goes_off(alarm: Alarm, periods: list[dict[str, float]]) -> bool:
    """Whether the alarm is in ALARM after these periods, the youngest last; a period without data does not breach."""
    breaching = [
        (value := result(alarm, shown)) is not None
        and COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
        for shown in periods[-alarm["EvaluationPeriods"] :]
    ]
    assert alarm["TreatMissingData"] == "notBreaching"
    return len(breaching) == alarm["EvaluationPeriods"] and all(breaching)


def test_an_alarm_goes_off_for_each_thing_that_it_watches(alarms: dict[str, Alarm]) -> None:
    assert alarms
    for name, alarm in alarms.items():
        for metric, watched in metrics(alarm).items():
            case = f"{name}, {metric}"
            well = {each: values(alarm, each, told).well for each, told in metrics(alarm).items()}
            provoked = {**well, metric: values(alarm, metric, watched).badly}
            periods = alarm["EvaluationPeriods"]
            assert not goes_off(alarm, [well] * periods), case
            assert goes_off(alarm, [provoked] * periods), case
            assert goes_off(alarm, [{metric: provoked[metric]}] * periods), f"{case}: the others have no data"
            if periods > 1:
                assert not goes_off(alarm, [provoked] * (periods - 1) + [well]), f"{case}: a moment is no state"


def test_an_alarm_is_silent_without_data(alarms: dict[str, Alarm]) -> None:
    assert [name for name, alarm in alarms.items() if goes_off(alarm, [{}] * alarm["EvaluationPeriods"])] == []
