"""`python -m confirm` as a person starts it, against services of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedded_aws import EmbeddedAws

REPOSITORY = Path(__file__).parents[1]
DEVELOPER = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def role(aws: EmbeddedAws, name: str, service: str, *statements: Mapping[str, Any]) -> str:
    """A role that `service` may assume, with these statements; its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": service, "AWS": "*"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return str(made["Role"]["Arn"])


def caller_without(aws: EmbeddedAws, action: str) -> dict[str, str]:
    """Credentials, as a shell has them, of somebody who may do everything but `action`."""
    name = "all-but-" + action.rpartition(":")[2]
    arn = role(aws, name, "ec2.amazonaws.com", EVERYTHING, {"Effect": "Deny", "Action": action, "Resource": "*"})
    return credentials(aws, arn)


def credentials(aws: EmbeddedAws, arn: str) -> dict[str, str]:
    """Credentials of a role, as a shell has them."""
    given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="person")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def confirm(
    aws: EmbeddedAws, folder: Path, environment: Mapping[str, str], *words: str
) -> tuple[int, dict[str, Any], str]:
    """The command's exit code, its document, and what it told on its way; the recording goes into `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "confirm", "--fixtures", str(folder), "--look-seconds", "0.2", *words],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "AWS_ENDPOINT_URL": aws.endpoint, "AWS_REGION": aws.region, **environment},
        timeout=1500,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr
