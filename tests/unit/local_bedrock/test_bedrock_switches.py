"""The table of switches."""

from __future__ import annotations

import pytest

from local.bedrock.fault_plan import parse_plan
from local.bedrock.faults import Fault, Faults
from local.bedrock.switches import Switches, SwitchInvalid, table


def test_every_switch_has_a_sentence_and_a_default_that_it_takes() -> None:
    for switch in table():
        assert switch["sentence"].endswith((".", "1.")), switch["name"]
        switches = Switches()
        switches.set(switch["name"], switch["default"])
        assert switches == Switches(), switch["name"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("suffix", "ignore", "ignore"),
        ("echo_method", "off", False),
        ("list_lag_calls", "3", 3),
        ("step_seconds", "0.25", 0.25),
        ("throttle_share", 0.3, 0.3),
        ("fault_plan", "CreateFineTuningJob:after:reset:2", "CreateFineTuningJob:after:reset:2"),
    ],
)
def test_a_switch_is_set_from_text_or_a_value(name: str, text: object, value: object) -> None:
    switches = Switches()
    switches.set(name, text)
    assert getattr(switches, name) == value


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("sufix", "ignore", "no switch 'sufix'"),
        ("suffix", "perhaps", "refuse | ignore"),
        ("echo_method", "maybe", "true | false"),
        ("list_lag_calls", "-1", "whole number from 0"),
        ("group_size", "0", "whole number from 1"),
        ("step_seconds", "nan", "number from 0"),
        ("step_seconds", "inf", "number from 0"),
        ("error_share", "1.5", "0 to 1"),
        ("fault_plan", "CreateFile:later:500", "before|after"),
        ("fault_plan", "CreateFile:after:418", "malformed"),
    ],
)
def test_a_value_that_a_switch_does_not_take_is_refused_with_what_it_takes(
    name: str, value: str, complaint: str
) -> None:
    switches = Switches()
    with pytest.raises(SwitchInvalid) as refusal:
        switches.set(name, value)
    assert complaint in str(refusal.value)
    assert switches == Switches()


def test_a_planned_fault_befalls_its_action_as_often_as_planned() -> None:
    faults = Faults(Switches(fault_plan="CreateFile:after:500:2, *:before:reset"))
    assert faults.draw("CreateFile") == Fault("after", "500")
    assert faults.draw("ListFiles") == Fault("before", "reset")
    assert faults.draw("ListFiles") is None
    assert faults.draw("CreateFile") == Fault("after", "500")
    assert faults.draw("CreateFile") is None
    faults.replan()
    assert faults.draw("CreateFile") == Fault("after", "500")


def test_shares_befall_about_their_share_of_the_actions_that_they_are_about() -> None:
    faults = Faults(Switches(throttle_share=0.3, fault_actions="CreateInference"))
    drawn = [faults.draw("CreateInference") for _ in range(2000)]
    assert 0.25 < drawn.count(Fault("before", "429")) / 2000 < 0.35
    assert all(faults.draw("CreateFile") is None for _ in range(200))


def test_an_empty_plan_has_no_faults() -> None:
    assert parse_plan("") == []
