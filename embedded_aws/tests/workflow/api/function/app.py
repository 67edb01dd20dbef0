"""Answers with what it was asked, or badly, as the query says."""

import base64
import json
import time
from typing import Any


def handler(event: dict[str, Any], context: object) -> Any:
    query = event["queryStringParameters"] or {}
    how = query.get("how", "echo")
    if how == "raise":
        raise RuntimeError("broken")
    if how == "no-proxy-answer":
        return ["not", "a", "proxy", "answer"]
    if how == "wait":
        time.sleep(5)
    if how == "bytes":
        return {"statusCode": 200, "body": base64.b64encode(bytes(range(256))).decode(), "isBase64Encoded": True}
    if how == "cookies":
        return {"statusCode": 204, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "headers": {"X-One": "1"}}
    if how == "missing":
        return {"statusCode": 404, "body": json.dumps({"error": "no such thing"})}
    return {"statusCode": 200, "body": json.dumps(event)}
