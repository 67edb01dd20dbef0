"""What targets get of events (docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.events.target_input import TargetInputInvalid, input_for

EVENT: dict[str, Any] = {
    "id": "1",
    "time": "2026-01-02T03:04:05Z",
    "detail": {"name": 'a "b"', "count": 3, "list": [{"x": 1}, {"x": 2}], "deep": {"er": None}, "dashed-name": "d"},
}
RULE = {"name": "the-rule", "arn": "arn:aws:events:us-west-2:123456789012:rule/the-rule"}


def _input(target: dict[str, Any]) -> Any:
    return json.loads(input_for(target, EVENT, RULE))


def test_the_whole_event_is_the_default() -> None:
    assert _input({}) == EVENT


def test_a_constant_replaces_the_event() -> None:
    assert _input({"Input": '{"fixed": 1}'}) == {"fixed": 1}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.detail.count", 3),
        ("$.detail.list[1].x", 2),
        ("$.detail.deep", {"er": None}),
        ("$.detail.deep.er", None),
        ("$.detail['dashed-name']", "d"),
        ("$", EVENT),
    ],
)
def test_a_path_takes_a_part(path: str, value: Any) -> None:
    assert _input({"InputPath": path}) == value


def test_a_path_to_nothing_is_an_error() -> None:
    with pytest.raises(TargetInputInvalid, match=r"\$\.detail\.other is not in the event"):
        _input({"InputPath": "$.detail.other"})


def _transformed(template: str, **paths: str) -> Any:
    return _input({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})


def test_a_template_takes_values_as_json() -> None:
    made = _transformed(
        '{"n": <count>, "name": <name>, "all": <list>}',
        count="$.detail.count",
        name="$.detail.name",
        list="$.detail.list",
    )
    assert made == {"n": 3, "name": 'a "b"', "all": [{"x": 1}, {"x": 2}]}


def test_a_variable_inside_a_text_is_its_characters() -> None:
    assert _transformed('"<name> has <count>"', count="$.detail.count", name="$.detail.name") == 'a "b" has 3'


def test_a_variable_between_quotes_is_one_text() -> None:
    assert _transformed('{"name": "<name>"}', name="$.detail.name") == {"name": 'a "b"'}


def test_a_missing_value_is_null_and_empty_inside_a_text() -> None:
    assert _transformed('{"a": <none>, "b": "x<none>y"}', none="$.detail.none") == {"a": None, "b": "xy"}


def test_eventbridges_own_variables_are_there() -> None:
    made = _transformed(
        '{"rule": "<aws.events.rule-name>", "arn": "<aws.events.rule-arn>", "event": <aws.events.event>}'
    )
    assert made == {"rule": "the-rule", "arn": RULE["arn"], "event": EVENT}


def test_a_template_that_gives_no_json_is_an_error() -> None:
    with pytest.raises(TargetInputInvalid, match="does not give JSON"):
        _transformed("{<count>}", count="$.detail.count")
