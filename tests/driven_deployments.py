"""The deployments on which `tests/driven_runs.py` takes place: together they use each parameter of the template.

Whoever adds a parameter puts it into one of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECRET = "$secret"
"""In a deployment's parameters: the ARN of a secret that holds a key of Bedrock."""

ACCOUNT = "123456789012"
SOURCES = "shared-data"
"""The bucket of other people's data that a deployment lets runs be made from."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stack: where it is, and what it is given beside the short waits and MantleBaseUrl of `local.stack`."""

    name: str
    region: str
    parameters: Mapping[str, Any]


DEV = Deployment(
    "dev",
    "us-west-2",
    {"SettleSeconds": 0, "AllowedGraders": "arn:aws:lambda:*:*:function:own-*:*"},
)
LIMITS = {
    "run": {"hours": 50, "reference_models": 1},
    "month": {"gradings": 1_000_000},
    "prices": {"hour": 1},
    "teams": {"red": {"run": {"answer_tokens": 4_000_000}, "month": {"dollars": 5_000}}},
}
RED = {
    "callers": [f"arn:aws:iam::{ACCOUNT}:role/red-*"],
    "datasets": [f"s3://{SOURCES}/red/"],
    "approvers": [f"arn:aws:iam::{ACCOUNT}:role/red-lead"],
    "approval": {"below": 0.05, "guard_rails": True},
}
"""The team of `CLOSED`, whose rule asks an approver only about some promotions."""
CLOSED = Deployment(
    "prod",
    "us-west-2",
    {
        "Stage": "prod",
        "Encryption": "aws",
        "NoticesEmail": "notices@example.com",
        "OperationsEmail": "operations@example.com",
        "BedrockApiKeySecret": SECRET,
        "SweepMinutes": 2,
        "ListLagSeconds": 2,
        "FirstPollSeconds": 2,
        "TeamRunQuota": 5,
        "JobsAtOnce": 1,
        "Limits": json.dumps(LIMITS),
        "Teams": json.dumps({"red": RED}),
        "ApiAccounts": ACCOUNT,
        "ApiRoles": f"arn:aws:iam::{ACCOUNT}:role/red-*",
        "SourceObjects": f"arn:aws:s3:::{SOURCES}/red/*",
    },
)
SIGNED = Deployment(
    "signed", "us-west-2", {"SettleSeconds": 0, "BedrockAuth": "sigv4", "BedrockProject": "proj_tunedrop1"}
)
MODEL_KEY = "the ARN of a key that is made before the deployment"
EAST = Deployment(
    "east",
    "us-east-1",
    {
        "Stage": "staging",
        "SettleSeconds": 0,
        "Retention": '{"datasets_days": 365}',
        "NovaModelKey": MODEL_KEY,
        "NovaVpc": "subnet-0123456789abcdef0,subnet-0123456789abcdef1;sg-0123456789abcdef0",
        "TokensPerMinute": 100_000_000,
    },
)
