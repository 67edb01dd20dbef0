"""EventBridge's rules, checked as AWS checks them when they are made."""

from __future__ import annotations

import json
from typing import Any

from embedded_aws.deployer.errors import NotHonoured, TemplateInvalid
from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, given, resource_type
from embedded_aws.events import pattern, schedule, targets


@resource_type(
    "AWS::Events::Rule",
    honoured=[
        "Name",
        "Description",
        "EventPattern",
        "ScheduleExpression",
        "State",
        "RoleArn",
        "Targets[].Id",
        "Targets[].Arn",
        "Targets[].RoleArn",
        "Targets[].DeadLetterConfig",
        "Targets[].RetryPolicy",
        "Tags",
    ],
)
def rule(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    events = stack.aws.client("events")
    name = properties.get("Name") or stack.physical_name(logical_id)
    arguments = given(properties, "Description", "State", "RoleArn", "ScheduleExpression")
    try:
        if "EventPattern" in properties:
            pattern.check(properties["EventPattern"])
            arguments["EventPattern"] = json.dumps(properties["EventPattern"])
        if "ScheduleExpression" in properties:
            schedule.parse(properties["ScheduleExpression"])
    except (pattern.PatternInvalid, schedule.ScheduleInvalid) as error:
        raise TemplateInvalid(f"{logical_id}: {error}") from error
    arn = events.put_rule(Name=name, **arguments)["RuleArn"]
    listed = [_target(logical_id, target) for target in properties.get("Targets", [])]
    if listed:
        events.put_targets(Rule=name, Targets=listed)
    return Created(name, {"Arn": arn})


def _target(logical_id: str, target: dict[str, Any]) -> dict[str, Any]:
    if targets.kind_of(target["Arn"]) is None:
        raise NotHonoured(f"{logical_id}: no target like {target['Arn']} is imitated on one machine")
    if "RetryPolicy" in target:
        target = {**target, "RetryPolicy": {name: int(value) for name, value in target["RetryPolicy"].items()}}
    return target
