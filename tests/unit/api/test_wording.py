"""What the API says of a wrong request: the field, what it must be, and what came, in its own words."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from tunedrop.api.application import build
from tunedrop.api.body import MOST_BODY_LEVELS
from tunedrop.api.documents import RunRequest
from tunedrop.api.problems import Problem
from tunedrop.api.routes import ROUTES
from tunedrop.api.starting import source_of
from tunedrop.api.wording import MOST_TOLD
from tunedrop.resources import Resources
from tunedrop.teams import Team, Teams

HEX = "0123456789abcdef0123456789abcdef"
URI = {"uri": "s3://datasets/train.jsonl"}


@pytest.fixture(scope="module")
def app() -> APIGatewayRestResolver:
    return build(Resources())


def ask(app: APIGatewayRestResolver, resource: str, body: Any = None, **more: Any) -> tuple[int, Any, Any]:
    """Status, document and headers of the answer to a request as the gateway passes it on."""
    event = {
        "httpMethod": "GET" if body is None else "POST",
        "resource": resource,
        "path": resource,
        "headers": {"Content-Type": "application/json", "Idempotency-Key": "one"},
        "multiValueHeaders": {"Content-Type": ["application/json"], "Idempotency-Key": ["one"]},
        "multiValueQueryStringParameters": None,
        "queryStringParameters": None,
        "pathParameters": None,
        "requestContext": {"identity": {"userArn": "arn:aws:iam::123456789012:user/me"}},
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        **more,
    }
    answer = app.resolve(event, None)  # type: ignore[arg-type]  # it is not asked
    return answer["statusCode"], json.loads(answer["body"]), answer["multiValueHeaders"]


@pytest.mark.parametrize(
    ("resource", "body", "says"),
    [
        ("/runs", {"name": "a", "datset": URI}, "datset: is not known; did you mean `dataset`?"),
        ("/runs", {"name": "a", "dataset": {"url": "s3://a/b"}}, "dataset.url: is not known; did you mean `uri`?"),
        ("/runs", {"name": "a", "dataset": {"upload": HEX}}, "dataset.upload: is not known; did you mean `upload_id`?"),
        ("/runs", {"name": "a", "dataset": {"uri": "http://x"}}, "dataset.uri: expected `s3://BUCKET/KEY`"),
        ("/runs", {"name": "a", "dataset": {"upload_id": 7}}, "dataset.upload_id: expected the `upload_id` that"),
        ("/runs", {"name": "a", "dataset": {}}, 'dataset: expected `{"uri": "s3://BUCKET/KEY"}` or'),
        ("/runs", {"name": "a", "dataset": URI | {"upload_id": HEX}}, 'dataset: expected `{"uri": "s3://BUCKET/KEY"}`'),
        ("/runs", {"name": "a", "dataset": "s3://a/b"}, 'or `{"upload_id": "..."}`; got "s3://a/b".'),
        ("/runs", {"dataset": URI}, "name: expected text of 1 to 100 characters, not only spaces, without control"),
        (
            "/runs",
            {"name": "a", "dataset": URI, "recipe": ["x"]},
            "recipe: expected an object, or a recipe's name",
        ),
        ("/runs", {"name": "a", "dataset": URI, "labels": {"a": 1}}, "labels: expected at most 20 texts by name"),
        ("/runs", ["a"], "body: expected one JSON object"),
        ("/runs", "null", "body: expected one JSON object"),
        ("/runs", '"text"', "body: expected one JSON object"),
        ("/uploads", {"bytes": 0}, "bytes: expected the file's size, a whole number from 1 to 1073741824; got 0."),
        ("/uploads", {"bytes": "x" * 200}, "xxx…."),
        ("/uploads", {"byte": 5}, "byte: is not known; did you mean `bytes`?"),
        ("/uploads", {"bytes": 5, "quite other": 1}, "quite other: is not known; known are bytes."),
        ("/validations", {"datasets": URI}, "datasets: is not known; did you mean `dataset`?"),
    ],
)
def test_a_wrong_body_is_refused_by_the_field_and_what_it_must_be(
    app: APIGatewayRestResolver, resource: str, body: Any, says: str
) -> None:
    status, document, _ = ask(app, resource, body)
    assert (status, document["type"]) == (422, "urn:tunedrop:problem:request-invalid"), document
    assert says in document["detail"]
    assert document["errors"]
    for word in ("ByUri", "ByUpload", "Input should", "constrained", "body."):
        assert word not in json.dumps(document)


DEEP = 100_000
DIGITS = "7" * 5000


@pytest.mark.parametrize("resource", ["/runs", "/uploads", "/validations"])
@pytest.mark.parametrize(
    "body",
    [
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        '{"name": "a", "labels": ' + '{"a":' * DEEP + "1" + "}" * (DEEP + 1),
        '{"name": "a", "recipe": ' + "[" * 40 + "]" * 40 + "}",
        f'{{"name": "a", "labels": {{"a": {DIGITS}}}}}',
        f'{{"bytes": {DIGITS}}}',
        f'{{"bytes": -{DIGITS}, "dataset": [{DIGITS}]}}',
        f'{{"recipe": {{"a": {DIGITS}}}}}',
        f'{{"bytes": 1e{DIGITS}}}',
        f"[{DIGITS}]",
        DIGITS,
        '{"bytes": NaN}',
        '{"bytes": 1, "bytes": 2}',
    ],
    ids=lambda body: body[:24],
)
def test_a_body_that_nests_or_counts_without_measure_is_refused(
    app: APIGatewayRestResolver, resource: str, body: str
) -> None:
    status, document, _ = ask(app, resource, body)
    assert status == 422, document
    assert document["type"] in ("urn:tunedrop:problem:request-invalid", "urn:tunedrop:problem:recipe-invalid")
    assert len(document["detail"]) < 2000


@pytest.mark.parametrize(
    ("resource", "query", "says"),
    [
        ("/runs", {"limt": ["5"]}, "limt: is not known; did you mean `limit`?"),
        ("/runs", {"state": ["FAILED"]}, "state: is not known; did you mean `status`?"),
        ("/runs", {"zzz": ["1"]}, "zzz: is not known; known are name, status, search, limit, page."),
        ("/runs/{run_id}", {"limit": ["5"]}, "limit: is not known; no fields are allowed here."),
        ("/runs", {"limit": ["many"]}, "limit: expected a whole number, at least 1 and at most 100 (runs)"),
        ("/runs", {"status": ["DONE"]}, "status: expected RUNNING, SUCCEEDED, REJECTED, FAILED or CANCELLED; got"),
        ("/models", {"region": ["eu"]}, "region: is not known; no fields are allowed here."),
    ],
)
def test_a_wrong_query_is_refused_by_its_parameter(
    app: APIGatewayRestResolver, resource: str, query: dict[str, list[str]], says: str
) -> None:
    path = resource.replace("{run_id}", "sums-1")
    status, document, _ = ask(app, resource, multiValueQueryStringParameters=query, path=path)
    assert (status, document["type"]) == (422, "urn:tunedrop:problem:request-invalid"), document
    assert says in document["detail"]


@pytest.mark.parametrize("resource", sorted(ROUTES))
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_another_method_is_refused_with_those_that_there_are(
    app: APIGatewayRestResolver, resource: str, method: str
) -> None:
    if method in ROUTES[resource]:
        return
    status, document, headers = ask(app, resource, httpMethod=method)
    assert (status, document["type"]) == (405, "urn:tunedrop:problem:method-not-allowed")
    assert headers["Allow"] == [", ".join(sorted(ROUTES[resource]))]


def test_a_start_without_a_key_is_refused_by_its_own_problem(app: APIGatewayRestResolver) -> None:
    body = {"name": "a", "dataset": URI}
    kinds = []
    for headers in ({}, {"Idempotency-Key": ["ü"]}):
        sent = {"Content-Type": ["application/json"], **headers}
        single = {name: values[0] for name, values in sent.items()}
        _, document, _ = ask(app, "/runs", body, multiValueHeaders=sent, headers=single)
        kinds.append((document["type"].rpartition(":")[2], document["detail"]))
    assert kinds[0][0] == "idempotency-key-missing"
    assert kinds[1][0] == "request-invalid"
    assert kinds[1][1].startswith("Idempotency-Key: expected 1 to 128 printable ASCII characters")


@pytest.mark.parametrize("resource", ["/runs", "/uploads", "/validations"])
@pytest.mark.parametrize("body", [b"\xff", b'{"name": "\xe4"}', b'"' + b"\\" * 999 + b"\xff", b"not base64"])
def test_a_body_that_is_no_text_in_utf_8_is_refused(app: APIGatewayRestResolver, resource: str, body: bytes) -> None:
    sent = body.decode() if body == b"not base64" else base64.b64encode(body).decode()
    status, document, _ = ask(app, resource, sent, isBase64Encoded=True)
    assert (status, document["type"]) == (400, "urn:tunedrop:problem:request-malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "a"}, "dataset"), ({"name": "a", "dataset": URI, "recipe": {}, "recipe_text": "{}"}, "recipe_text")],
)
def test_members_that_do_not_fit_together_are_named_as_wrong_fields_too(body: dict[str, Any], field: str) -> None:
    stack: Any = SimpleNamespace(settings=SimpleNamespace(dataset_bucket="datasets"), teams=Teams(()), s3=None)
    team = Team("red", datasets=("s3://datasets/",))
    with pytest.raises(Problem) as refused:
        source_of(RunRequest.model_validate(body), team, resources=stack, settings=stack)
    assert refused.value.kind == "request-invalid"
    assert [each["field"] for each in refused.value.document()["errors"]] == [field]


def test_of_many_wrong_fields_the_first_twenty_are_told(app: APIGatewayRestResolver) -> None:
    status, document, _ = ask(app, "/runs", {"name": "a", "dataset": URI, **{f"field-{n}": n for n in range(99)}})
    assert (status, len(document["errors"])) == (422, MOST_TOLD)


@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_a_body_that_nests_a_level_too_deep_is_told_so(app: APIGatewayRestResolver, opened: str) -> None:
    closed = "]" if opened == "[" else "}"
    for levels, deep in ((MOST_BODY_LEVELS - 1, False), (MOST_BODY_LEVELS, True)):
        body = f'{{"name": "a", "labels": {opened * levels}1{closed * levels}}}'
        told = ask(app, "/runs", body)[1]["errors"]
        assert any("levels of objects and lists" in each["expected"] for each in told) is deep


def test_a_route_that_fails_answers_a_problem_that_tells_nothing_of_it() -> None:
    resources: Any = SimpleNamespace()  # without the settings that each route needs
    broken = build(resources)
    status, document, _ = ask(broken, "/models")
    assert (status, document["type"]) == (500, "urn:tunedrop:problem:internal")
    assert "attribute" not in json.dumps(document)


def test_what_is_no_resource_is_not_found(app: APIGatewayRestResolver) -> None:
    status, document, _ = ask(app, "/run")
    assert (status, document["type"]) == (404, "urn:tunedrop:problem:not-found")
