"""What watches the stack: each alarm on metrics that exist, to the operators, over every function there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from checks import sam_template
from tunedrop.graders import metrics
from tunedrop.states.sweep_runs import Counts
from tunedrop.training import measures

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def alarms(resources: Resources) -> Resources:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"}


def watched(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics of an alarm: Namespace, MetricName, Dimensions."""
    if "MetricName" in alarm:
        yield alarm
    yield from (each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each)


def functions_watched(alarms: Resources, metric: str) -> set[str]:
    return {
        each["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms.values()
        for each in watched(alarm)
        if (each["Namespace"], each["MetricName"]) == ("AWS/Lambda", metric)
    }


def test_every_alarm_tells_the_operators_and_none_of_missing_data(alarms: Resources) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "OperationsTopic"}], name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert f"docs/runbook.md, {name}." in alarm["AlarmDescription"]


def test_no_alarm_has_more_metrics_than_cloudwatch_takes(alarms: Resources) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html: ten, the result not counted
    assert max(len(list(watched(alarm))) for alarm in alarms.values()) <= 10


def test_a_rejected_run_pages_nobody(alarms: Resources) -> None:
    outcomes = [each for alarm in alarms.values() for each in watched(alarm) if each["MetricName"] == "RunsEnded"]
    (told,) = [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in outcomes]
    assert told == {"service": {"Ref": "AWS::StackName"}, "status": "FAILED"}


def test_no_alarm_or_widget_hears_what_another_stack_of_the_account_puts_out(
    resources: Resources, alarms: Resources
) -> None:
    for name, alarm in alarms.items():
        for metric in (each for each in watched(alarm) if each["Namespace"] == "Tunedrop"):
            named = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            own_function = named.get("function", {}).get("Ref", "").startswith("Grader")
            assert own_function or named.get("service") == {"Ref": "AWS::StackName"}, (name, metric)
    for widget in json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]:
        for metric in widget["properties"]["metrics"]:
            if metric[0] == "Tunedrop":
                assert metric[2:4] == ["service", "${AWS::StackName}"]
            elif isinstance(metric[0], dict):
                assert 'service="${AWS::StackName}"' in metric[0]["expression"] or "${GraderPlain}" in str(metric)


def test_every_function_is_watched_for_throttles_and_for_coming_near_its_timeout(
    resources: Resources, alarms: Resources
) -> None:
    functions = {name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Function"}
    assert functions_watched(alarms, "Throttles") == functions
    assert functions_watched(alarms, "Duration") == functions


def test_functions_whose_errors_are_outcomes_of_runs_are_not_watched_for_errors(
    resources: Resources, alarms: Resources
) -> None:
    functions = {name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Function"}
    of_states = {
        value["Fn::GetAtt"][0]
        for value in resources["Pipeline"]["Properties"]["DefinitionSubstitutions"].values()
        if isinstance(value, dict) and "Fn::GetAtt" in value and value["Fn::GetAtt"][0] in functions
    }
    assert functions_watched(alarms, "Errors") == functions - of_states


def test_a_duration_is_compared_with_the_timeout_of_its_own_function(resources: Resources, alarms: Resources) -> None:
    for alarm in alarms.values():
        stated = {each["Id"]: each for each in alarm.get("Metrics", ())}
        durations = [
            each
            for each in stated.values()
            if each.get("MetricStat", {}).get("Metric", {}).get("MetricName") == "Duration"
        ]
        for each in durations:
            function = each["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
            (milliseconds,) = re.findall(rf"\b{each['Id']}/(\d+)", stated["all"]["Expression"])
            assert int(milliseconds) == 1000 * resources[function]["Properties"]["Timeout"], function
            assert alarm["Threshold"] == 0.8


def test_what_is_watched_or_shown_of_our_own_is_what_the_code_puts_out(alarms: Resources, resources: Resources) -> None:
    own = {
        each["MetricName"] for alarm in alarms.values() for each in watched(alarm) if each["Namespace"] == "Tunedrop"
    }
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    own |= set(re.findall(r'\["Tunedrop", "(\w+)"', body))
    for named in re.findall(r"MetricName=(\S+(?: OR \S+)*)'?,", body):
        own |= set(re.findall(r'\\"(\w+)\\"', named))
    assert {"EvaluationDifference", "critic_rewards_mean"} <= own
    put_out = {metrics.ERRORS, metrics.ZERO_SHARE, *(each.name for each in fields(Counts))}
    # The service's own names of what a step measured, with its slashes as underscores.
    put_out |= {name for name in own if name.startswith(measures.PREFIXES)}
    by_hand = {"RunsEnded": "conclude_run", "EvaluationDifference": "conclude_run"}
    for name, function in by_hand.items():
        assert f'"{name}"' in (sam_template.ROOT / f"functions/{function}/app.py").read_text()
    assert own <= put_out | by_hand.keys()


def test_every_dead_letter_queue_is_watched(resources: Resources, alarms: Resources) -> None:
    queues = {name for name, each in resources.items() if each["Type"] == "AWS::SQS::Queue"}
    assert {each["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for each in watched(alarms["DeadLettersAlarm"])} == queues


def test_cloudwatch_may_publish_to_the_operators_and_no_key_keeps_it_from_it(resources: Resources) -> None:
    key = resources["OperationsTopic"]["Properties"]["KmsMasterKeyId"]
    assert key == {"Fn::If": ["HasDataKey", {"Ref": "DataKey"}, {"Ref": "AWS::NoValue"}]}, "never alias/aws/sns"
    statements = resources["OperationsTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (alarming,) = [each for each in statements if each["Sid"] == "Alarms"]
    assert alarming["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarming["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert alarming["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith("${AWS::AccountId}:alarm:*")


def test_the_dashboard_shows_the_errors_of_every_function_as_a_sum(resources: Resources) -> None:
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    (errors,) = [each["properties"] for each in body["widgets"] if each["properties"]["title"] == "Functions: errors"]
    shown = {metric[3].strip("${}") for metric in errors["metrics"]}
    assert shown == {name for name, each in resources.items() if each["Type"] == "AWS::Lambda::Function"}
    assert errors["stat"] == "Sum"


def test_the_dashboard_is_json_with_the_outcomes_first(resources: Resources) -> None:
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    assert body["widgets"][0]["properties"]["title"] == "Runs by outcome"
