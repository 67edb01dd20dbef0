"""Where the key of Bedrock's OpenAI-compatible endpoint comes from."""

from __future__ import annotations

import hashlib
import io

import boto3
import httpx2
import pytest

from tunedrop import mantle
from tunedrop.answer_members import AnswerBroken
from tunedrop.settings import Settings

BASE = {
    "AWS_REGION": "us-west-2",
    "RUNS_TABLE": "runs",
    "TRAINING_EVENTS_TABLE": "training-events",
    "DATASET_BUCKET": "drop",
    "RUNS_BUCKET": "runs",
    "SETTLE_SECONDS": "30",
    "FIRST_POLL_SECONDS": "60",
    "LATER_POLL_SECONDS": "300",
    "PARAMETER_PATH": "/tunedrop/dev",
}


@pytest.mark.usefixtures("aws")
def test_a_client_has_a_short_term_key_of_its_own_region() -> None:
    client = mantle.client(Settings.from_environment(BASE))
    assert client.api_key.startswith("bedrock-api-key-")
    assert str(client.base_url) == "https://bedrock-mantle.us-west-2.api.aws/v1/"


@pytest.mark.usefixtures("aws")
def test_a_stack_with_a_secret_has_its_key_read_anew_each_time() -> None:
    secrets = boto3.client("secretsmanager", region_name="us-west-2")
    arn = secrets.create_secret(Name="bedrock-key", SecretString="ABSK-first\n")["ARN"]
    settings = Settings.from_environment({**BASE, "BEDROCK_API_KEY_SECRET": arn})
    assert mantle.client(settings).api_key == "ABSK-first"
    secrets.put_secret_value(SecretId=arn, SecretString="ABSK-second")
    assert mantle.async_client(settings).api_key == "ABSK-second"
    assert "ABSK" not in repr(settings)


@pytest.mark.usefixtures("aws")
def test_a_secret_without_a_text_is_named_and_not_shown() -> None:
    secrets = boto3.client("secretsmanager", region_name="us-west-2")
    arn = secrets.create_secret(Name="bedrock-key", SecretBinary=b"ABSK-bytes")["ARN"]
    with pytest.raises(AnswerBroken, match="GetSecretValue: `SecretString` is missing") as raised:
        mantle.client(Settings.from_environment({**BASE, "BEDROCK_API_KEY_SECRET": arn}))
    assert "ABSK" not in str(raised.value)


@pytest.mark.usefixtures("aws")
def test_a_stack_that_signs_sends_no_token_and_names_its_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "not to be sent")
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:none"  # nobody reads it: there is no such secret
    signs = {"BEDROCK_AUTH": "sigv4", "BEDROCK_PROJECT": "proj_ours", "BEDROCK_API_KEY_SECRET": arn}
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200, json={"id": "file", "object": "file"})

    client = mantle.client(Settings.from_environment({**BASE, **signs})).with_options(
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
    )
    client.files.create(file=("train.jsonl", io.BytesIO(b"{}\n")), purpose="fine-tune")
    (request,) = sent
    assert str(request.url) == "https://bedrock-mantle.us-west-2.api.aws/v1/files"
    assert request.headers["OpenAI-Project"] == "proj_ours"
    assert "/us-west-2/bedrock-mantle/aws4_request, " in request.headers["Authorization"]
    assert request.headers["X-Amz-Content-SHA256"] == hashlib.sha256(request.content).hexdigest()


@pytest.mark.usefixtures("aws")
def test_the_default_project_is_named_by_no_header() -> None:
    settings = Settings.from_environment({**BASE, "BEDROCK_PROJECT": "default"})
    assert mantle.client(settings).project is None
