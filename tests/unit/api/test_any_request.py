"""Whatever a caller sends: the API answers, or refuses by a problem document, and is never at fault itself."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from tunedrop.api.application import build
from tunedrop.api.routes import ROUTES
from tunedrop.resources import Resources

_VALUES: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, 1e308, "", "a", "\x00", "\ud800", "é" * 200, "../..", "s3://", [], {}, ["a"],
    "s3://shared/red/../blue/x.jsonl", {"uri": "s3://shared/red/x"}, {"uri": "s3://shared/red/\x1b[2J"},
    {"upload_id": "0" * 32}, {"kind": "own"}, {"grader": {"kind": "exact"}}, "model: x", "{a: [1", "*x", "&x [*x]",
    "!!python/object:os.system x",
]  # fmt: skip
_FIELDS = [
    "name", "dataset", "test", "recipe", "recipe_text", "labels", "resumes", "evaluate_only", "bytes", "uri",
    "upload_id", "__proto__", "",
]  # fmt: skip
_QUERIES = ["limit", "page", "search", "status", "name", "after", "reason", "a[]", ""]
_TEXTS = ["", "1", "0", "-1", "1e9", "9" * 500, "AAAA", "\x00", "\x1b[2J", "\ud800", "é", "RUNNING", "x" * 5_000]
_RAW = [
    "", "[]", "null", "[" * 50_000, '{"a":' * 50_000, '{"name": 1e999}', '{"bytes": ' + "9" * 6_000 + "}",
    '{"name": NaN}', '{"name": "a", "name": "b"}', '"' + "\\" * 999,
]  # fmt: skip
_IDS = ["a-1", "A", "..", "a" * 200, "\x00", "\r\nX: y", "0" * 32, "é", "\ud800", " ", "a\n"]
_JSON = "application/json"
_TYPES = [f"{_JSON}; charset=x", "text/plain", "multipart/form-data", "", "application/x-www-form-urlencoded"]


@pytest.fixture
def app(aws: None, monkeypatch: pytest.MonkeyPatch) -> APIGatewayRestResolver:
    """The application before an empty account: what gets through to a service ends as `unavailable`."""
    teams = {"red": {"callers": ["arn:aws:iam::123456789012:user/*"], "datasets": ["s3://shared/red/"]}}
    for name in (
        "API_TABLE",
        "DATASET_BUCKET",
        "RUNS_BUCKET",
        "RUNS_TABLE",
        "TRAINING_EVENTS_TABLE",
        "PARAMETER_PATH",
        "VALIDATION_FUNCTION",
    ):
        monkeypatch.setenv(name, "none")
    for name in ("SETTLE_SECONDS", "FIRST_POLL_SECONDS", "LATER_POLL_SECONDS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIPELINE_ARN", "arn:aws:states:us-west-2:123456789012:stateMachine:none")
    monkeypatch.setenv("TEAMS", json.dumps(teams))
    return build(Resources())


def body_of(pick: random.Random, level: int = 0) -> Any:
    if level < 3 and pick.random() < 0.6:
        return {pick.choice(_FIELDS): body_of(pick, level + 1) for _ in range(pick.randint(0, 3))}
    return pick.choice(_VALUES)


def event_of(pick: random.Random) -> dict[str, Any]:
    """A request as the gateway passes it on."""
    resource = pick.choice(list(ROUTES))
    method = pick.choice([*ROUTES[resource], *ROUTES[resource], "PUT", "HEAD"])
    run_id = pick.choice(_IDS)
    query = {pick.choice(_QUERIES): pick.choice(_TEXTS) for _ in range(pick.choice([0, 0, 1, 2]))}
    headers = {
        "Content-Type": pick.choice([_JSON] * 5 + _TYPES),
        "Idempotency-Key": pick.choice(["one", "", "é", "\x00"]),
    }
    body = pick.choice(_RAW) if pick.random() < 0.3 else json.dumps(body_of(pick))
    packed = pick.random() < 0.2
    return {
        "httpMethod": method,
        "resource": resource,
        "path": resource.replace("{run_id}", run_id).replace("{validation_id}", run_id),
        "pathParameters": {"run_id": run_id} if "{" in resource else None,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] * pick.choice([1, 1, 2]) for name, value in query.items()}
        or None,
        "requestContext": {"identity": {"userArn": f"arn:aws:iam::123456789012:user/{pick.choice(['a', 'é', 'a/b'])}"}},
        "body": base64.b64encode(body.encode() + b"\xff").decode() if packed else body if method == "POST" else None,
        "isBase64Encoded": packed,
    }


def fuzz(app: APIGatewayRestResolver, seed: int, requests: int) -> set[int]:
    """The statuses that were answered."""
    pick = random.Random(seed)
    statuses = set()
    for _ in range(requests):
        event = event_of(pick)
        answer = app.resolve(event, None)  # type: ignore[arg-type]  # it is not asked
        status, document = answer["statusCode"], json.loads(answer["body"])
        assert status != 500, (event, document)
        assert status < 400 or document["status"] == status, (event, document)
        statuses.add(status)
    return statuses


def test_no_random_request_is_a_fault_of_the_api(app: APIGatewayRestResolver) -> None:
    assert fuzz(app, 1, 150) >= {200, 404, 405, 415, 422, 503}, "requests come through, to each way of answering"


@pytest.mark.prove
def test_no_one_of_20_000_random_requests_is_a_fault_of_the_api(app: APIGatewayRestResolver) -> None:
    fuzz(app, 2, 20_000)
