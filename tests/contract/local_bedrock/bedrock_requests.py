"""What the contract tests send to the local Bedrock: rows, a job's method, and clients of boto3."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

GRADER = "arn:aws:lambda:us-west-2:123456789012:function:grader-math:3"
FULL_PACE = {"validating_seconds": 0, "queued_seconds": 0, "step_seconds": 0, "grader_backoff_seconds": 0}
NOVA_PACE = {**FULL_PACE, "deploying_seconds": 0.1, "nova_stopping_seconds": 0.05, "nova_grader_wraps_strings": True}


def training_rows(count: int = 100) -> bytes:
    """Rows as the walkthrough's: a question, and a worked answer that ends in `#### N`."""
    rows = (
        {
            "messages": [{"role": "user", "content": f'What is {number} + 100? End with "####".'}],
            "reference_answer": f"It is {number + 100}.\n#### {number + 100}",
            "ground_truth": str(number + 100),
        }
        for number in range(count)
    )
    return "\n".join(map(json.dumps, rows)).encode()


def method(**hyperparameters: object) -> dict[str, Any]:
    """The `method` of a create request as AWS documents it."""
    return {
        "type": "reinforcement",
        "reinforcement": {
            "grader": {"type": "lambda", "lambda": {"function": GRADER}},
            "hyperparameters": {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0, **hyperparameters},
        },
    }


def native_client(service: str, endpoint: str, region: str = "us-east-1", **config: Any) -> Any:
    """A client of boto3 without retries, so that a test sees each answer; `config` as botocore's Config has it."""
    return boto3.client(
        service,  # type: ignore[call-overload]  # the name is a variable
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )
