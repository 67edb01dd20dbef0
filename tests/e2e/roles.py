"""Someone who may call the API of a stack that `tunedrop up` runs, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3

ROLE = "other-team"


def caller_of_the_api(up: Mapping[str, str]) -> dict[str, str]:
    """Credentials of a session of a role with the right to call APIs, as variables of a shell."""
    session = boto3.Session(up["AWS_ACCESS_KEY_ID"], up["AWS_SECRET_ACCESS_KEY"], region_name=up["AWS_REGION"])
    iam: Any = session.client("iam", endpoint_url=up["AWS_ENDPOINT_URL"])
    sts: Any = session.client("sts", endpoint_url=up["AWS_ENDPOINT_URL"])
    account = sts.get_caller_identity()["Account"]
    if ROLE not in {each["RoleName"] for each in iam.list_roles()["Roles"]}:
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        call = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
        trusted, policy = (json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, call))
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trusted)
        iam.put_role_policy(RoleName=ROLE, PolicyName="api", PolicyDocument=policy)
    issued = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="nightly")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
        "AWS_SESSION_TOKEN": issued["SessionToken"],
    }
