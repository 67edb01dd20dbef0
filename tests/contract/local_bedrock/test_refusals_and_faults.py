"""Keys, the captured error bodies, and every fault that a client must live with."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from aws_bedrock_token_generator import BedrockTokenGenerator
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from openai import APIConnectionError, APITimeoutError, AuthenticationError, InternalServerError, OpenAI, RateLimitError

from local.bedrock import LocalBedrock, LocalBedrockFailed
from tests.contract.local_bedrock.bedrock_requests import method, training_rows
from tests.in_prove import in_prove

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret")
CREATE = "CreateFineTuningJob"


def get(bedrock: LocalBedrock, path: str = "/models", **headers: str) -> httpx2.Response:
    return httpx2.get(
        bedrock.base_url + path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


class TestKeys:
    def test_no_key_has_the_captured_body(self, bedrock: LocalBedrock) -> None:
        answer = get(bedrock)
        assert answer.status_code == 401
        assert answer.json() == {
            "error": {
                "code": "invalid_api_key",
                "message": "Missing 'authorization' or 'x-api-key' header",
                "param": None,
                "type": "permission_denied_error",
            }
        }
        assert answer.headers["x-tunedrop-simulated"] == "true"

    def test_a_wrong_key_has_the_captured_body_whatever_is_wrong(self, bedrock: LocalBedrock) -> None:
        other_region = BedrockTokenGenerator().get_token(CREDENTIALS, "us-east-1")
        for key in ("nonsense", other_region):
            answer = get(bedrock, authorization=f"Bearer {key}")
            assert answer.status_code == 401
            assert answer.json()["error"] == {
                "code": "invalid_api_key",
                "message": "Invalid bearer token",
                "param": None,
                "type": "permission_denied_error",
            }

    def test_a_key_that_has_ended_is_refused(self, bedrock: LocalBedrock) -> None:
        url = base64.b64decode(bedrock.api_key().removeprefix("bedrock-api-key-")).decode()
        today, yesterday = (f"{datetime.now(UTC) - timedelta(days=days):%Y%m%d}" for days in (0, 1))
        old = base64.b64encode(url.replace(today, yesterday).encode()).decode()
        assert get(bedrock, authorization=f"Bearer bedrock-api-key-{old}").status_code == 401

    def test_other_ways_to_show_a_key(self, bedrock: LocalBedrock) -> None:
        assert get(bedrock, x_api_key=bedrock.api_key()).status_code == 200
        assert get(bedrock, authorization="Bearer ABSK" + "a" * 60).status_code == 200
        bedrock.set_switch("long_term_keys", "refuse")
        assert get(bedrock, authorization="Bearer ABSK" + "a" * 60).status_code == 401

    @pytest.mark.parametrize(("service", "status"), [("bedrock-mantle", 200), ("bedrock", 403)])
    def test_a_signature_counts_for_the_service_that_it_names(
        self, bedrock: LocalBedrock, service: str, status: int
    ) -> None:
        request = AWSRequest("GET", f"{bedrock.base_url}/models")
        SigV4Auth(CREDENTIALS, service, "us-west-2").add_auth(request)
        assert get(bedrock, authorization=request.headers["Authorization"]).status_code == status

    def test_an_expired_session_and_a_denied_action_can_be_switched_on(
        self, bedrock: LocalBedrock, client: OpenAI
    ) -> None:
        bedrock.set_switch("keys_expired", True)
        with pytest.raises(AuthenticationError):
            client.models.list()
        bedrock.set_switch("keys_expired", False)
        bedrock.set_switch("denied_actions", "ListModels")
        denied = get(bedrock, authorization=f"Bearer {bedrock.api_key()}")
        assert denied.status_code == 403
        error = denied.json()["error"]
        assert error["code"] == "access_denied"
        assert "is not authorized to perform: bedrock-mantle:ListModels on resource" in error["message"]
        assert list(client.files.list()) == []


def test_what_is_no_route_and_what_is_no_json_have_the_envelope(bedrock: LocalBedrock) -> None:
    key = {"authorization": f"Bearer {bedrock.api_key()}"}
    lost = httpx2.get(f"{bedrock.base_url}/nothing", headers=key)
    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "not_found")
    broken = httpx2.post(f"{bedrock.base_url}/chat/completions", headers=key, content=b"{broken")
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")
    for response in (lost, broken):
        assert response.headers["x-tunedrop-simulated"] == "true"


class TestFaults:
    @pytest.fixture
    def create(self, client: OpenAI) -> Callable[..., Any]:
        file = client.files.create(purpose="fine-tune", file=("train.jsonl", training_rows()))
        return lambda timeout=10.0: client.with_options(timeout=timeout).fine_tuning.jobs.create(
            model="openai.gpt-oss-20b", training_file=file.id, extra_body={"method": method(batch_size=30)}
        )

    @pytest.mark.parametrize("when", [in_prove("before"), "after"])
    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("500", InternalServerError),
            ("503", InternalServerError),
            ("429", RateLimitError),
            ("reset", APIConnectionError),
            ("cut", APIConnectionError),
            ("hang", APITimeoutError),
            ("malformed", json.JSONDecodeError),
        ],
    )
    def test_a_create_can_fail_with_and_without_the_job_made(
        self,
        bedrock: LocalBedrock,
        client: OpenAI,
        create: Callable[..., Any],
        *,
        when: str,
        kind: str,
        error: type[Exception],
    ) -> None:
        bedrock.set_switch("fault_plan", f"{CREATE}:{when}:{kind}")
        with pytest.raises(error):
            create(0.5 if kind == "hang" else 10.0)
        assert len(list(client.fine_tuning.jobs.list())) == (1 if when == "after" else 0)
        assert create().status == "validating_files"

    def test_a_planned_fault_comes_as_often_as_planned(self, bedrock: LocalBedrock, create: Callable[..., Any]) -> None:
        bedrock.set_switch("fault_plan", f"{CREATE}:before:429:2")
        for _ in range(2):
            with pytest.raises(RateLimitError):
                create()
        create()
        assert bedrock.calls()[CREATE] == 1

    def test_a_share_of_answers_is_throttled(self, bedrock: LocalBedrock, client: OpenAI) -> None:
        bedrock.set_switch("fault_actions", "ListModels")
        bedrock.set_switch("throttle_share", 0.3)
        throttled = 0
        for _ in range(100):
            try:
                client.models.list()
            except RateLimitError:
                throttled += 1
        assert 15 <= throttled <= 45
        client.files.list()

    def test_answers_can_be_slow(self, bedrock: LocalBedrock, client: OpenAI) -> None:
        bedrock.set_switch("latency_seconds", 0.2)
        began = time.monotonic()
        client.models.list()
        assert time.monotonic() - began >= 0.2

    def test_a_stream_can_break_off(self, bedrock: LocalBedrock, client: OpenAI) -> None:
        bedrock.set_switch("fault_plan", "CreateInference:after:cut")
        stream = client.chat.completions.create(
            model="openai.gpt-oss-20b", messages=[{"role": "user", "content": "Who are you?"}], stream=True
        )
        assert next(stream).choices[0].delta.role == "assistant"
        with pytest.raises((APIConnectionError, httpx2.HTTPError)):
            list(stream)

    def test_a_switch_that_does_not_exist_is_refused_and_nothing_is_set(self, bedrock: LocalBedrock) -> None:
        with pytest.raises(LocalBedrockFailed, match="no switch 'sufix'"):
            bedrock.set_switch("sufix", "ignore")
        shown = httpx2.get(f"{bedrock.endpoint}/_simulation/switches").json()
        assert {switch["name"]: switch["value"] for switch in shown}["suffix"] == "refuse"
