"""A deployed REST API answers over HTTP as API Gateway would."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import Deployment, EmbeddedAws, deploy
from embedded_aws.gateway.authorizer import Refused
from embedded_aws.gateway.front_end import MAX_REQUEST_BYTES, ApiFrontEnd
from embedded_aws.gateway.proxy_event import Request, gateway_error
from embedded_aws.gateway.routes import Route
from embedded_aws.lambdas.errors import MAX_PAYLOAD_BYTES, InvokeRefused

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def deployment(aws: EmbeddedAws) -> Deployment:
    return deploy(aws, Path(__file__).parent / "api/template.yaml", stack_name="api")


@pytest.fixture(scope="module")
def api(aws: EmbeddedAws, deployment: Deployment) -> Iterator[ApiFrontEnd]:
    with ApiFrontEnd(aws, deployment.outputs["ApiId"], "v1") as running:
        yield running


def _ask(
    api: ApiFrontEnd, method: str, path: str, *, body: bytes = b"", headers: list[tuple[str, str]] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request below the stage; headers may repeat."""
    host, _, stage = api.url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.putrequest(method, f"/{stage}{path}")
        for name, value in [*(headers or []), ("Content-Length", str(len(body)))]:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.msg, response.read()
    finally:
        connection.close()


def _event(api: ApiFrontEnd, method: str, path: str, **request: Any) -> dict[str, Any]:
    status, _, body = _ask(api, method, path, **request)
    assert status == 200, body
    event: dict[str, Any] = json.loads(body)
    return event


def test_the_function_gets_a_proxy_event_of_version_1(api: ApiFrontEnd, deployment: Deployment) -> None:
    headers = [("X-Many", "1"), ("X-Many", "2"), ("Content-Type", "application/json"), ("User-Agent", "test")]
    event = _event(api, "POST", "/any/a%20b/c?x=1&x=2&empty=", body='{"ü": 1}'.encode(), headers=headers)
    assert event["resource"] == "/any/{proxy+}"
    assert event["path"] == "/any/a%20b/c"
    assert event["httpMethod"] == "POST"
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert event["queryStringParameters"] == {"x": "2", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "empty": [""]}
    assert event["headers"]["X-Many"] == "2"
    assert event["multiValueHeaders"]["X-Many"] == ["1", "2"]
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert (event["body"], event["isBase64Encoded"]) == ('{"ü": 1}', False)
    context = event["requestContext"]
    assert context["stage"] == "v1"
    assert context["path"] == "/v1/any/a%20b/c"
    assert context["resourcePath"] == "/any/{proxy+}"
    assert context["apiId"] == deployment.outputs["ApiId"]
    assert context["identity"]["userAgent"] == "test"
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_what_is_not_there_is_null(api: ApiFrontEnd) -> None:
    event = _event(api, "GET", "/things/best")
    for name in ("body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters"):
        assert event[name] is None


def test_a_literal_part_goes_before_a_parameter(api: ApiFrontEnd) -> None:
    assert _event(api, "GET", "/things/best")["resource"] == "/things/best"
    assert _event(api, "GET", "/things/other")["pathParameters"] == {"thing": "other"}


def test_binary_content_travels_as_base64(api: ApiFrontEnd) -> None:
    content = bytes(range(256))
    headers = [("Content-Type", "application/octet-stream")]
    event = _event(api, "POST", "/open", body=content, headers=headers)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == content
    accepting = [("Accept", "application/octet-stream")]
    assert _ask(api, "GET", "/things/x?how=bytes", headers=accepting)[2] == content
    assert _ask(api, "GET", "/things/x?how=bytes")[2] == base64.b64encode(content)


def test_headers_of_the_answer_may_repeat(api: ApiFrontEnd) -> None:
    status, headers, body = _ask(api, "GET", "/things/x?how=cookies")
    assert (status, body) == (204, b"")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert headers["X-One"] == "1"


def test_the_functions_own_errors_are_its_own(api: ApiFrontEnd) -> None:
    status, _, body = _ask(api, "GET", "/things/x?how=missing")
    assert (status, json.loads(body)) == (404, {"error": "no such thing"})


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/things/best"), ("GET", "/things/a/b")])
def test_a_route_that_does_not_exist_is_403_as_the_gateway_has_it(api: ApiFrontEnd, method: str, path: str) -> None:
    status, headers, body = _ask(api, method, path)
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("how", ["raise", "no-proxy-answer"])
def test_a_function_that_breaks_is_502(api: ApiFrontEnd, how: str) -> None:
    status, _, body = _ask(api, "GET", f"/things/x?how={how}")
    assert (status, json.loads(body)) == (502, {"message": "Internal server error"})


def test_a_request_too_large_for_the_gateway_or_the_function_is_413(api: ApiFrontEnd) -> None:
    for size in (MAX_REQUEST_BYTES + 1, MAX_PAYLOAD_BYTES):
        status, _, body = _ask(api, "POST", "/open", body=b"x" * size)
        assert (status, json.loads(body)) == (413, {"message": "Request Too Long"})


def test_a_throttled_function_is_500(api: ApiFrontEnd, aws: EmbeddedAws, deployment: Deployment) -> None:
    refusal = InvokeRefused("TooManyRequestsException", "Rate Exceeded.", 429)
    aws.functions.faults.refuse(deployment.outputs["FunctionName"], refusal)
    assert _ask(api, "GET", "/things/x")[0] == 500
    assert _ask(api, "GET", "/things/x")[0] == 200


def test_a_function_slower_than_its_integration_is_504(aws: EmbeddedAws, deployment: Deployment) -> None:
    apigateway = aws.client("apigateway")
    rest_api_id = deployment.outputs["ApiId"]
    resources = apigateway.get_resources(restApiId=rest_api_id)["items"]
    resource = next(item["id"] for item in resources if item["path"] == "/things/{thing}")
    place = {"restApiId": rest_api_id, "resourceId": resource, "httpMethod": "GET"}
    kept = apigateway.get_integration(**place)
    apigateway.put_integration(
        type="AWS_PROXY", integrationHttpMethod="POST", uri=kept["uri"], timeoutInMillis=100, **place
    )
    with ApiFrontEnd(aws, rest_api_id, "v1") as impatient:
        status, _, body = _ask(impatient, "GET", "/things/x?how=wait")
    assert (status, json.loads(body)) == (504, {"message": "Endpoint request timed out"})
    aws.functions.kill(deployment.outputs["FunctionName"])


def test_a_function_whose_policy_does_not_let_the_gateway_in_is_500(
    aws: EmbeddedAws, deployment: Deployment, api: ApiFrontEnd
) -> None:
    function = aws.client("lambda")
    name = deployment.outputs["FunctionName"]
    statements = json.loads(function.get_policy(FunctionName=name)["Policy"])["Statement"]
    for statement in statements:
        function.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    try:
        status, _, body = _ask(api, "GET", "/things/x")
    finally:
        for statement in statements:
            function.add_permission(
                FunctionName=name,
                StatementId=statement["Sid"],
                Action=statement["Action"],
                Principal="apigateway.amazonaws.com",
            )
    assert (status, json.loads(body)) == (500, {"message": "Internal server error"})
    assert _ask(api, "GET", "/things/x")[0] == 200


def test_the_preflight_of_cors_is_answered_without_the_function(api: ApiFrontEnd) -> None:
    status, headers, body = _ask(api, "OPTIONS", "/things/x")
    assert (status, body) == (200, b"")
    assert headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert headers["Access-Control-Allow-Methods"] == "GET,OPTIONS"


def test_another_stage_is_forbidden(api: ApiFrontEnd) -> None:
    host = api.url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(host)
    connection.request("GET", "/prod/things/x")
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (403, {"message": "Forbidden"})
    connection.close()
    # No stage, no gateway response by which the API would word it otherwise.
    assert api.answer("GET", "/prod/things/x", [], b"", "127.0.0.1").refusal is None


def test_an_authorizer_sees_each_routes_kind_and_can_refuse(aws: EmbeddedAws, deployment: Deployment) -> None:
    def authorize(request: Request, route: Route) -> dict[str, Any]:
        if route.authorization == "AWS_IAM" and request.header("Authorization") is None:
            raise Refused(gateway_error(403, "Missing Authentication Token", "MissingAuthenticationTokenException"))
        return {"userArn": "arn:aws:iam::123456789012:user/someone"}

    with ApiFrontEnd(aws, deployment.outputs["ApiId"], "v1", authorize=authorize) as api:
        assert _ask(api, "GET", "/things/best")[0] == 403
        event = _event(api, "GET", "/things/best", headers=[("Authorization", "AWS4-HMAC-SHA256 signed")])
        assert event["requestContext"]["identity"]["userArn"].endswith(":user/someone")
        assert _ask(api, "POST", "/open")[0] == 200


@pytest.mark.parametrize("header", [("Origin", "https://elsewhere.example"), ("Host", "elsewhere.example")])
def test_a_page_in_the_browser_gets_no_answer(api: ApiFrontEnd, header: tuple[str, str]) -> None:
    status, _, body = _ask(api, "GET", "/things/best", headers=[header])
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"})
