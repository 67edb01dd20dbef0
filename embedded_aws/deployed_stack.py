"""What CloudFormation tells of a deployed stack, in the fields of its API.

docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

IN_PROGRESS = "CREATE_IN_PROGRESS"
COMPLETE = "CREATE_COMPLETE"
FAILED = "CREATE_FAILED"

PAGE = 100
"""Resources in one answer: a page of ListStackResources, and all that DescribeStackResources ever tells."""

NO_ECHO = "****"


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource of a stack. `status` is one of the three above."""

    logical_id: str
    physical_id: str
    kind: str
    moment: datetime
    status: str = COMPLETE
    reason: str = ""


@dataclass(slots=True)
class DeployedStack:
    """A stack that is being deployed, or has been."""

    stack_id: str
    name: str
    source: str
    """The template's file as it is."""
    processed: Mapping[str, Any]
    """The template that SAM has made of it."""
    parameters: Mapping[str, str | Sequence[str]]
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = IN_PROGRESS
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    resources: list[StackResource] = field(default_factory=list)

    def add(self, logical_id: str, physical_id: str, kind: str) -> None:
        """A resource has been created."""
        self.resources.append(StackResource(logical_id, physical_id, kind, datetime.now(UTC)))

    def fail(self, reason: str) -> None:
        """The deployment has failed, and what it made stays."""
        self.status, self.reason = FAILED, reason

    def describe(self) -> dict[str, Any]:
        """One of DescribeStacks' `Stacks`."""
        return {
            "StackId": self.stack_id,
            "StackName": self.name,
            **_given("Description", self.processed.get("Description")),
            "Parameters": [self._parameter(name, value) for name, value in self.parameters.items()],
            "CreationTime": self.created,
            "StackStatus": self.status,
            **_given("StackStatusReason", self.reason),
            "DisableRollback": True,
            "NotificationARNs": [],
            "Capabilities": ["CAPABILITY_IAM"],
            "Outputs": [self._output(name, value) for name, value in self.outputs.items()],
            "Tags": {},  # moto writes them as a list
            "EnableTerminationProtection": False,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }

    def summary(self) -> dict[str, Any]:
        """One of ListStacks' `StackSummaries`."""
        return {
            "StackId": self.stack_id,
            "StackName": self.name,
            **_given("TemplateDescription", self.processed.get("Description")),
            "CreationTime": self.created,
            "StackStatus": self.status,
            **_given("StackStatusReason", self.reason),
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }

    def resource_summary(self, resource: StackResource) -> dict[str, Any]:
        """One of ListStackResources' `StackResourceSummaries`."""
        return {**self._resource(resource), "LastUpdatedTimestamp": resource.moment}

    def resource_detail(self, resource: StackResource) -> dict[str, Any]:
        """DescribeStackResource's `StackResourceDetail`."""
        return {**self.resource_summary(resource), "StackId": self.stack_id, "StackName": self.name}

    def resource_description(self, resource: StackResource) -> dict[str, Any]:
        """One of DescribeStackResources' `StackResources`."""
        names = {"StackId": self.stack_id, "StackName": self.name}
        return {**self._resource(resource), **names, "Timestamp": resource.moment}

    def events(self) -> list[dict[str, Any]]:
        """DescribeStackEvents' `StackEvents`: the newest first, one for each resource and two for the stack."""
        own = StackResource(self.name, self.stack_id, "AWS::CloudFormation::Stack", self.created, IN_PROGRESS)
        ended = StackResource(self.name, self.stack_id, own.kind, datetime.now(UTC), self.status, self.reason)
        happened = [own, *self.resources, *([] if self.status == IN_PROGRESS else [ended])]
        return [
            {**self.resource_description(each), "EventId": f"{each.logical_id}-{each.status}-{number}"}
            for number, each in reversed(list(enumerate(happened)))
        ]

    def template(self, stage: str) -> str:
        """GetTemplate's `TemplateBody`: the file for the stage Original, SAM's translation for Processed."""
        return self.source if stage == "Original" else json.dumps(self.processed)

    def _parameter(self, name: str, value: str | Sequence[str]) -> dict[str, str]:
        declared = self.processed.get("Parameters", {}).get(name, {})
        text = value if isinstance(value, str) else ",".join(value)
        hidden = str(declared.get("NoEcho", "")).lower() == "true"
        return {"ParameterKey": name, "ParameterValue": NO_ECHO if hidden else text}

    def _output(self, name: str, value: str) -> dict[str, Any]:
        declared = self.processed.get("Outputs", {}).get(name, {})
        return {"OutputKey": name, "OutputValue": value, **_given("Description", declared.get("Description"))}

    def _resource(self, resource: StackResource) -> dict[str, Any]:
        return {
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.kind,
            "ResourceStatus": resource.status,
            **_given("ResourceStatusReason", resource.reason),
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }


def _given(name: str, value: str | None) -> dict[str, str]:
    """The field, if it has a value: the API leaves it out otherwise."""
    return {name: value} if value else {}
