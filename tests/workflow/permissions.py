"""Which AWS calls the functions and machines of a running stack make, and whether their roles allow them."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from checks.permissions import allows
from local.aws.calls import Call
from local.stack import LocalStack

S3_ACTIONS = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "PostObject": "PutObject",
}
"""S3's operations whose IAM action has another name:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""

ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction", "lambda:InvokeAsync": "lambda:InvokeFunction"}

NO_PERMISSION_NEEDED = {"sts:GetCallerIdentity"}


class CallsMade:
    """Action and resource of each AWS call by the logical id of the caller's role, since it was made."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._names = {physical: name for name, physical in stack.resources.items()}
        self._lock = threading.Lock()
        self.by_role: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.stop: Callable[[], None] = stack.aws.calls.observe(self._note)

    def _note(self, call: Call) -> None:
        if call.caller is None:
            return
        role = self._names.get(call.caller.role.rsplit("/", 1)[1])
        action = action_of(call)
        if role is None or action in NO_PERMISSION_NEEDED:
            return
        with self._lock:
            self.by_role[role].add((action, resource_of(call, self._stack.aws.region, self._stack.aws.account)))

    def refused(self) -> set[tuple[str, str, str]]:
        """Role, action and resource of each call that the role does not allow."""
        with self._lock:
            made = {role: set(calls) for role, calls in self.by_role.items()}
        return {
            (role, action, resource)
            for role, calls in made.items()
            for statements in [statements_of(self._stack, role)]
            for action, resource in calls
            if not allows(statements, action, resource)
        }


def action_of(call: Call) -> str:
    """The IAM action of a call."""
    if call.service == "s3":
        action = S3_ACTIONS.get(call.action, call.action)
        return f"s3:{action}Version" if action == "GetObject" and "versionId" in call.parameters else f"s3:{action}"
    action = f"{call.service}:{call.action}"
    return ACTIONS.get(action, action)


def resource_of(call: Call, region: str, account: str) -> str:
    """The ARN that IAM asks about; `*` for a call without one."""

    def told(*names: str) -> str | None:
        for name in names:
            if value := call.parameters.get(name):
                return str(value[0] if isinstance(value, list) else value)
        return None

    if call.action == "PostObject":  # whose address is the bucket's
        return f"arn:aws:s3:::{told('Bucket')}/{told('Key')}"
    if call.service == "s3":
        return f"arn:aws:s3:::{unquote(call.path).strip('/')}"
    if call.service == "dynamodb":
        index = told("IndexName")
        table = told("TableName") or next(iter(call.parameters.get("RequestItems") or {}), "")
        return f"arn:aws:dynamodb:{region}:{account}:table/{table}" + (f"/index/{index}" if index else "")
    if call.service == "lambda":
        name = unquote(call.path).split("/functions/")[1].split("/")[0]
        return name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"
    if call.service == "ssm":
        return f"arn:aws:ssm:{region}:{account}:parameter{told('Name', 'Names')}"
    return told("executionArn", "stateMachineArn", "TopicArn") or "*"


def statements_of(stack: LocalStack, role: str) -> list[Mapping[str, Any]]:
    """The statements of a deployed role (its logical id), as IAM has them."""
    iam = stack.aws.client("iam")
    name = stack.resources[role]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    read = [json.loads(each) if isinstance(each, str) else each for each in documents]
    return [statement for document in read for statement in document["Statement"]]
