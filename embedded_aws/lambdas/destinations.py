"""Where the record of an asynchronous invocation goes when it has ended for good.

docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from typing import Any

from embedded_aws.lambdas.errors import InvokeRefused, Outcome
from embedded_aws.lambdas.service import FunctionVersion

Client = Callable[[str, str], Any]
"""Service and role ARN → boto3 client: Lambda sends with the function's own role."""


def deliver(
    client: Client, version: FunctionVersion, event: bytes, end: Outcome | InvokeRefused, attempts: int
) -> None:
    """Sends the record to the function's OnSuccess or OnFailure destination, a queue or a topic, if it has one."""
    failed = isinstance(end, InvokeRefused) or end.is_error
    arn = version.on_failure if failed else version.on_success
    if arn is None:
        return
    text = json.dumps(_record(version, event, end, attempts, failed=failed))
    service = arn.split(":")[2]
    if service == "sqs":
        url = client("sqs", "").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        client("sqs", version.role).send_message(QueueUrl=url, MessageBody=text)
    elif service == "sns":
        client("sns", version.role).publish(TopicArn=arn, Message=text)
    else:
        raise ValueError(f"a destination of {version.name} must be a queue or a topic on one machine, got {arn}")


def _record(
    version: FunctionVersion, event: bytes, end: Outcome | InvokeRefused, attempts: int, *, failed: bool
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"{version.arn}:{version.version}",
            "condition": "RetriesExhausted" if failed else "Success",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(event),
    }
    if isinstance(end, Outcome):
        context = {"statusCode": 200, "executedVersion": version.version}
        if end.is_error:
            context["functionError"] = "Unhandled"
        record["responseContext"] = context
        record["responsePayload"] = json.loads(end.payload or b"null")
    return record
