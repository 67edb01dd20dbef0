"""docs/permissions.md: each statement that allows something, what it is good for, and the tests whose runs need it.

python -m checks.permissions_page        writes the page anew

Which runs need a statement is in tests/data/permissions/needed.jsonl, as the runs asked for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from checks import sam_template
from checks.permissions import NEEDED, effect, listed, shown

PAGE = sam_template.ROOT / "docs/permissions.md"

_ITS_OWN_ACCOUNT = "says on the topic that IAM of this account decides who subscribes, as it would without it"
_WITHIN_ANOTHER = "SAM writes one for each route; the one for `/runs/{run_id}` ends in `*`, which covers this route too"

_A_KEY_OF_ONES_OWN = (
    "needs a key of the operator's; `workflow/deployments/test_retention.py` makes one, and trains with it"
)
NOT_NEEDED: Mapping[str, str] = {
    "EvaluateShardRole/NovaModelKey/EncryptModels": _A_KEY_OF_ONES_OWN,
    "PollJobRole/NovaModelKey/EncryptModels": _A_KEY_OF_ONES_OWN,
    "SubmitJobRole/NovaModelKey/EncryptModels": _A_KEY_OF_ONES_OWN,
    "NoticesTopic/ThisAccount": _ITS_OWN_ACCOUNT,
    "OperationsTopic/ThisAccount": _ITS_OWN_ACCOUNT,
    "Api/ApiApprovePermissionv1": _WITHIN_ANOTHER,
    "Api/ApiFindingsPermissionv1": _WITHIN_ANOTHER,
    "Api/ApiMetricsPermissionv1": _WITHIN_ANOTHER,
    "Api/ApiRejectPermissionv1": _WITHIN_ANOTHER,
    "Api/ApiRollbackPermissionv1": _WITHIN_ANOTHER,
    "Api/ApiReportPermissionv1": _WITHIN_ANOTHER,
    "Api/ApiStopPermissionv1": _WITHIN_ANOTHER,
}
"""Statements that no run on one machine needs, and why they are there."""

_INTRODUCTION = """\
# Who may do what, and which test needs it

Each line is a statement of [template.yaml](../template.yaml) that allows something. If you remove the statement,
`tests/workflow/embedded_aws/test_statements_needed.py` fails, because the embedded AWS then refuses the call in the
last column. The runs of the test module in the third column make this call; the module fails if they no longer make it.
If the third column names `test_statements_needed.py` itself, no such run makes the call: this test makes it, as one of
AWS's services would make it, or a role after a fault.

If several roles have a policy, it is listed once for each of them. The test modules are below `tests/`; `make pages`
writes this page.

| statement | what it allows | needed by | for example |
|---|---|---|---|
"""
_OUTRO = """
## What no run on one machine needs

| statement | why it is there |
|---|---|
"""

Statements = Mapping[str, Mapping[str, Any]]
"""Statements by their names: `Role/Policy/Sid`, or `Resource/Sid` for one of a resource's own policy."""


def statements(resources: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The statements of a translated template that allow something."""
    return {
        f"{holder}/{statement.get('Sid', number)}": statement
        for holder, document in _policies(resources)
        for number, statement in enumerate(listed(document["Statement"]), 1)
        if effect(statement) == "Allow"
    } | dict(_invocations(resources))


def _policies(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each policy by its holder: the role and the policy's name, or the resource whose own it is."""
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::IAM::Role":
                yield f"{name}/trust", properties["AssumeRolePolicyDocument"]
                for policy in properties.get("Policies", ()):
                    yield f"{name}/{policy['PolicyName']}", policy["PolicyDocument"]
                for managed in properties.get("ManagedPolicyArns", ()):
                    yield f"{name}/{managed['Ref']}", resources[managed["Ref"]]["Properties"]["PolicyDocument"]
            case "AWS::IAM::Policy":
                for role in properties["Roles"]:
                    yield f"{role['Ref']}/{properties['PolicyName']}", properties["PolicyDocument"]
            case "AWS::KMS::Key":
                yield name, properties["KeyPolicy"]
            case "AWS::S3::BucketPolicy":
                yield properties["Bucket"]["Ref"], properties["PolicyDocument"]
            case "AWS::SNS::TopicPolicy" | "AWS::SQS::QueuePolicy":
                for holder in properties.get("Topics") or properties["Queues"]:
                    yield holder["Ref"], properties["PolicyDocument"]


def _invocations(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What lets a service invoke a function."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Permission":
            properties = resource["Properties"]
            function = properties["FunctionName"]
            named = function.get("Ref") or function["Fn::GetAtt"][0]
            holder = resources[named]["Properties"].get("FunctionName", {"Ref": named})["Ref"]
            yield f"{holder}/{name}", {"Action": properties["Action"], "Principal": properties["Principal"]}


def page(resources: Mapping[str, Any]) -> str:
    """The page of a translated template."""
    needed = {line["statement"]: line for line in map(json.loads, NEEDED.read_text().splitlines())}
    rows = "".join(f"{_row(name, each, needed[name])}\n" for name, each in _sorted(resources) if name in needed)
    others = "".join(f"| {name} | {NOT_NEEDED[name]} |\n" for name, _ in _sorted(resources) if name in NOT_NEEDED)
    return f"{_INTRODUCTION}{rows}{_OUTRO}{others}"


def _sorted(resources: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return sorted(statements(resources).items(), key=lambda item: item[0])


def _row(name: str, statement: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    actions = ", ".join(shown(each) for each in listed(statement["Action"]))
    asks = "" if line.get("role", "") == name.partition("/")[0] else f"{line.get('role') or line['service']}: "
    resource = line["resource"].rpartition(":")[2] if line["resource"].startswith("arn:") else line["resource"]
    return f"| {name} | {actions} | {line['by'].removeprefix('tests/')} | {asks}{line['action']} on `{resource}` |"


if __name__ == "__main__":
    PAGE.write_text(page(sam_template.translate(sam_template.read())["Resources"]))
