"""The runbook has a heading for every error and finding that a notice can carry, and none for what cannot come."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from checks import sam_template
from tunedrop import outcomes
from tunedrop.recipe import FindingName
from tunedrop.run.execution import PipelineExecution, end_of

RUNBOOK = sam_template.ROOT / "docs/runbook.md"

BY_STEP_FUNCTIONS = {
    "States.ItemReaderFailed",
    "States.ExceedToleratedFailureThreshold",
    "States.Timeout",
    "States.TaskFailed",
    "States.QueryEvaluationError",
    "Unknown",
}
"""What Step Functions itself ends an execution with, beside what Lambda names; Unknown is what end_of makes of none."""

BY_LAMBDA = {"Sandbox.Timedout", "Runtime.ExitError", "Lambda.TooManyRequestsException"}


def headings(document: Path = RUNBOOK) -> dict[str, str]:
    """Each third-level heading and the text below it."""
    parts = re.split(r"^### (.+)$", document.read_text(), flags=re.MULTILINE)[1:]
    return {name: text.split("\n## ")[0] for name, text in zip(parts[::2], parts[1::2], strict=True)}


def raised() -> set[str]:
    """The errors that functions raise on purpose: the classes without subclasses of their own."""
    classes = [each for _, each in inspect.getmembers(outcomes, inspect.isclass) if issubclass(each, Exception)]
    return {each.__name__ for each in classes if not each.__subclasses__()}


def made_by_the_release() -> set[str]:
    def ended(status: str) -> str:
        return end_of(PipelineExecution("arn", status, {}, None, None, "2026-01-01T00:00:00Z"))[1]["error"]

    return {ended(status) for status in ("ABORTED", "TIMED_OUT", "SUCCEEDED", "FAILED")}


def test_every_error_finding_and_alarm_has_its_heading_and_nothing_else_has() -> None:
    errors = raised() | made_by_the_release() | BY_STEP_FUNCTIONS | BY_LAMBDA
    findings = set(get_args(FindingName))
    alarms = {
        name
        for name, each in sam_template.read()["Resources"].items()
        if each["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    }
    assert set(headings()) == errors | findings | alarms


def test_every_error_that_a_state_retries_is_told_of_when_the_tries_are_used_up() -> None:
    text = RUNBOOK.read_text()
    template = sam_template.read()
    retried = {
        error
        for machine in sam_template.machines(template).values()
        for state in yaml.safe_load((sam_template.ROOT / machine["DefinitionUri"]).read_text())["States"].values()
        for rule in state.get("Retry", ())
        for error in rule["ErrorEquals"]
    }
    assert "ServiceBusy" in retried
    assert {error for error in retried if error not in text} == set()


@pytest.mark.parametrize("heading", sorted(headings()))
def test_each_heading_says_what_it_means_what_to_look_at_and_what_to_do(heading: str) -> None:
    text = headings()[heading]
    if "**Look at, do**: as " in text:
        return
    for part in ("**Means**", "**Look at**", "**Do**"):
        assert f"- {part}: " in text, part


@pytest.mark.parametrize("query", re.findall(r"`<stack>/([a-z ]+)`", RUNBOOK.read_text()))
def test_each_saved_query_that_the_runbook_names_is_in_the_template(query: str) -> None:
    saved = [
        each["Properties"]["Name"]["Fn::Sub"]
        for each in sam_template.read()["Resources"].values()
        if each["Type"] == "AWS::Logs::QueryDefinition"
    ]
    assert f"${{AWS::StackName}}/{query}" in saved
