"""Lambda functions and their roles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from embedded_aws.lambdas.code import pack_folder
from embedded_aws.moto_patches import (
    functions,
    iam,
    request_limits,
)
from embedded_aws.tests.moto_canaries.moto_alone import canary_of, client, create_role

pytestmark = pytest.mark.prove


@canary_of(functions.run)
def test_moto_runs_no_function() -> None:
    functions = client("lambda")
    archive = b"PK\x05\x06" + bytes(18)
    functions.create_function(
        FunctionName="f", Role=create_role(), Handler="app.handler", Runtime="python3.13", Code={"ZipFile": archive}
    )
    answer = functions.invoke(FunctionName="f", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"a": 1}  # the payload, though there is no handler


@canary_of(functions.keep_logging_config)
def test_moto_drops_the_logging_config() -> None:
    made = client("lambda").create_function(
        FunctionName="f",
        Role=create_role(),
        Handler="app.handler",
        Runtime="python3.13",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "own"},
    )
    assert "LoggingConfig" not in made


@canary_of(request_limits.limit_functions)
def test_moto_makes_functions_of_any_timeout() -> None:
    code = {"ZipFile": pack_folder(Path(__file__).parent)}
    made = client("lambda").create_function(FunctionName="f", Role=create_role(), Code=code, Timeout=901, Handler="a.b")
    assert made["Timeout"] == 901


@canary_of(iam.know_managed_policies)
def test_moto_knows_none_of_awss_managed_policies() -> None:
    role = create_role().rsplit("/", 1)[1]
    with pytest.raises(ClientError, match="does not exist or is not attachable"):
        client("iam").attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess")
