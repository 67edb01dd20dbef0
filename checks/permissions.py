"""Who may do what: the roles of the template, and whether a policy's statements allow a call.

python -m checks.permissions       prints the table of role, actions and resources (`make permissions`)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from checks import sam_template

NEEDED = sam_template.ROOT / "tests/data/permissions/needed.jsonl"
"""For each statement that allows something a call that needs it: tests/asked_permissions.py says what the lines are."""

Statement = Mapping[str, Any]


def listed(value: Any) -> list[Any]:
    """One or several: IAM writes a list of one without its brackets."""
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` is any text, `?` any one character.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    expression = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether one of the statements allows the action on the resource (an ARN) and none denies it.

    Conditions are taken as met for an Allow: they are held by tests of their own.
    """
    allowed = False
    for statement in statements:
        hit = any(matches(each.lower(), action.lower()) for each in listed(statement["Action"])) and any(
            matches(each, resource) for each in listed(statement["Resource"])
        )
        if hit and effect(statement) == "Deny":
            return False
        allowed = allowed or hit
    return allowed


def effect(statement: Statement) -> str:
    """Allow or Deny; where a parameter chooses, what its default chooses, which stands last in the template."""
    told = statement["Effect"]
    return str(told["Fn::If"][2] if isinstance(told, Mapping) else told)


def statements_of(resources: Mapping[str, Any], role: str) -> Iterator[Statement]:
    """Every statement that applies to a role of a translated template: its own, managed ones, those that name it."""
    properties = resources[role]["Properties"]
    documents = [each["PolicyDocument"] for each in properties.get("Policies", ())]
    documents += [
        resources[each["Ref"]]["Properties"]["PolicyDocument"] for each in properties.get("ManagedPolicyArns", ())
    ]
    documents += [
        each["Properties"]["PolicyDocument"]
        for each in resources.values()
        if each["Type"] == "AWS::IAM::Policy" and {"Ref": role} in each["Properties"]["Roles"]
    ]
    for document in documents:
        yield from document["Statement"]


def shown(value: Any) -> str:
    """A resource as the template names it: `RunsTable.Arn`, `…:parameter/tunedrop/*`."""
    if isinstance(value, dict):
        ((function, argument),) = value.items()
        if function == "Fn::GetAtt":
            return ".".join(argument)
        return str(argument[0] if isinstance(argument, list) else argument)
    return str(value)


def table(resources: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the table: each role, then its actions by the resources that they are allowed on."""
    for role in sorted(name for name, each in resources.items() if each["Type"] == "AWS::IAM::Role"):
        yield role
        for statement in statements_of(resources, role):
            actions, places = listed(statement["Action"]), [shown(each) for each in listed(statement["Resource"])]
            for action, resource in zip_longest(actions, places, fillvalue=""):
                yield f"  {action:<42}  {resource}".rstrip()
            for operator, keys in statement.get("Condition", {}).items():
                for key, values in keys.items():
                    told = ", ".join(shown(each) for each in listed(values))
                    yield f"  {'':<42}  if {key} {operator} {told}"


if __name__ == "__main__":
    print("\n".join(table(sam_template.translate(sam_template.read())["Resources"])))  # noqa: T201 - its output
