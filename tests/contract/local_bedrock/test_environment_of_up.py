"""What a program finds that knows nothing but the file that `tunedrop up` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.bedrock import LocalBedrock
from local.command.up import environment, written
from tests.contract.local_bedrock.lambda_api import LambdaApi

PROGRAM = """
import json, os
import boto3
from openai import OpenAI

turn = {"role": "user", "content": [{"text": "Who are you?"}]}
asked = boto3.client("bedrock-runtime").converse(modelId="us.amazon.nova-2-lite-v1:0", messages=[turn])
listed = boto3.client("bedrock").list_custom_models()
print(json.dumps({
    "by": [answer["ResponseMetadata"]["HTTPHeaders"].get("x-tunedrop-simulated") for answer in (asked, listed)],
    "models": [model.id for model in OpenAI().models.list()],
    "mantle": os.environ["MANTLE_BASE_URL"],
}))
"""


@pytest.mark.prove
def test_boto3_and_openai_reach_the_local_bedrock_by_the_file_alone(
    nova_bedrock: LocalBedrock, lambda_api: LambdaApi, tmp_path: Path
) -> None:
    stack: Any = SimpleNamespace(
        aws=SimpleNamespace(endpoint=lambda_api.endpoint),
        bedrock=nova_bedrock,
        region="us-east-1",
        api_url="http://127.0.0.1:9/v1",
        outputs=defaultdict(str),
    )
    path = tmp_path / "environment"
    with written(environment(stack), path):
        done = subprocess.run(
            ["/bin/sh", "-c", '. "$0"; exec "$@"', str(path), sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["by"] == ["true", "true"]
    assert "openai.gpt-oss-20b" in told["models"]
    assert told["mantle"] == nova_bedrock.base_url
