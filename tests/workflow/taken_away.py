"""A deployed role without one of its statements, for a while: what the machine that is as strict as AWS makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack import LocalStack


@contextmanager
def taken_away(stack: LocalStack, role: str, sid: str) -> Iterator[None]:
    """Within it, the role (its logical id) lacks the statement `sid`. Raises KeyError where it has no such statement.

    What was refused meanwhile was refused for this, and is not held against the stack.
    """
    iam, name = stack.aws.client("iam"), stack.resources[role]
    refused = stack.aws.permissions.refused
    before = list(refused)
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        kept = [each for each in document["Statement"] if each.get("Sid") != sid]
        if len(kept) == len(document["Statement"]):
            continue
        iam.put_role_policy(
            RoleName=name, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": kept})
        )
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
            refused.clear()
            refused.extend(before)
        return
    raise KeyError(f"{role} has no statement {sid}")
