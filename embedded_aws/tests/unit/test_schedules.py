"""Rate expressions (docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import pytest

from embedded_aws.events.dispatch import RuleView
from embedded_aws.events.schedule import ScheduleInvalid, Schedules, parse

START = datetime.datetime(2026, 2, 27, 10, 7, 30, tzinfo=datetime.UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("rate(1 minute)", ["2026-02-27T10:08:30", "2026-02-27T10:09:30"]),
        ("rate(15 minutes)", ["2026-02-27T10:22:30"]),
        ("rate(2 days)", ["2026-03-01T10:07:30"]),
    ],
)
def test_the_next_times(expression: str, following: list[str]) -> None:
    schedule, moment = parse(expression), START
    for expected in following:
        moment = schedule.next_after(moment)
        assert moment == datetime.datetime.fromisoformat(f"{expected}+00:00")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "every day",
        "cron(0 12 * * ? *)",
    ],
)
def test_an_expression_that_is_no_rate_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleInvalid):
        parse(expression)


def test_a_stepped_clock_fires_each_time_that_has_come_in_order() -> None:
    rules = [
        RuleView("often", "arn", True, None, "rate(20 minutes)", ()),
        RuleView("hourly", "arn", True, None, "rate(1 hour)", ()),
        RuleView("off", "arn", False, None, "rate(1 minute)", ()),
        RuleView("by-event", "arn", True, {"source": ["x"]}, None, ()),
    ]
    fired: list[tuple[str, datetime.datetime]] = []

    def current() -> Iterable[RuleView]:
        return rules

    schedules = Schedules(rules=current, fire=lambda name, moment: fired.append((name, moment)), stepped=True)
    assert schedules.step(datetime.timedelta(minutes=19)) == []
    assert schedules.step(datetime.timedelta(minutes=1)) == ["often"]
    assert schedules.step(datetime.timedelta(minutes=45)) == ["often", "hourly", "often"]
    assert [moment for _, moment in fired] == sorted(moment for _, moment in fired)
    rules.append(RuleView("late", "arn", True, None, "rate(1 minute)", ()))
    assert schedules.step(datetime.timedelta(minutes=1)) == ["late"]


def test_the_wall_clock_cannot_be_stepped() -> None:
    schedules = Schedules(rules=list, fire=lambda name, moment: None, stepped=False)
    with pytest.raises(RuntimeError, match="wall clock"):
        schedules.step(datetime.timedelta(minutes=1))
