"""What a deployment is given and tells: parameters, outputs and stages."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from checks import sam_template
from tests.template.resource_kinds import GRADERS


def test_each_parameter_is_described_and_bounded(template: dict[str, Any]) -> None:
    assert set(template["Parameters"]) == {
        "Stage",
        "Encryption",
        "BedrockAuth",
        "BedrockProject",
        "SettleSeconds",
        "FirstPollSeconds",
        "LaterPollSeconds",
        "ListLagSeconds",
        "JobsAtOnce",
        "AllowedGraders",
        "BedrockApiKeySecret",
        "MantleBaseUrl",
        "SweepMinutes",
        "Teams",
        "TeamRunQuota",
        "Limits",
        "Retention",
        "NovaModelKey",
        "NovaVpc",
        "TokensPerMinute",
        "ApiAccounts",
        "ApiRoles",
        "SourceObjects",
        "NoticesEmail",
        "OperationsEmail",
    }
    for name, parameter in template["Parameters"].items():
        assert len(parameter["Description"]) > 20, name
        if parameter["Type"] == "Number":
            assert parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"], name
        else:
            allowed = parameter.get("AllowedValues")
            assert allowed is None or parameter["Default"] in allowed
            assert allowed is not None or re.search(parameter["AllowedPattern"], parameter["Default"]) is not None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "https://bedrock-mantle.us-west-2.api.aws/v1"])
def test_a_base_url_is_taken(template: dict[str, Any], url: str) -> None:
    assert re.search(template["Parameters"]["MantleBaseUrl"]["AllowedPattern"], url)


@pytest.mark.parametrize("url", ["127.0.0.1:8080/v1", "https://bedrock-mantle.us-west-2.api.aws", "ftp://host/v1"])
def test_what_is_no_base_url_is_refused(template: dict[str, Any], url: str) -> None:
    assert not re.search(template["Parameters"]["MantleBaseUrl"]["AllowedPattern"], url)


SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"


@pytest.mark.parametrize(
    "vpc", ["", f"{SUBNET};{GROUP}", "subnet-01234567;sg-01234567", f"{SUBNET},{SUBNET};{GROUP},{GROUP}"]
)
def test_a_vpc_is_taken(template: dict[str, Any], vpc: str) -> None:
    assert re.search(template["Parameters"]["NovaVpc"]["AllowedPattern"], vpc)


@pytest.mark.parametrize(
    "vpc",
    [
        SUBNET,
        f"{SUBNET};",
        f";{GROUP}",
        f"{GROUP};{SUBNET}",
        f"{SUBNET}, {SUBNET};{GROUP}",
        f"{SUBNET};{GROUP},",
        "subnet-1;sg-1",
        f"{','.join([SUBNET] * 17)};{GROUP}",
        f"{SUBNET};{','.join([GROUP] * 6)}",
    ],
)
def test_what_no_training_job_takes_as_a_vpc_is_refused(template: dict[str, Any], vpc: str) -> None:
    assert not re.search(template["Parameters"]["NovaVpc"]["AllowedPattern"], vpc)


def test_the_stack_tells_all_its_users_need(translated: dict[str, Any]) -> None:
    outputs = translated["Outputs"]
    assert set(outputs) == {
        "DatasetBucketName",
        "RunsBucketName",
        "RunsTableName",
        "TrainingEventsTableName",
        "NoticesTopicArn",
        "PipelineArn",
        "AftermathArn",
        "ApiUrl",
        "ApiId",
        "OperationsTopicArn",
        "ParameterPath",
        "DashboardUrl",
        "PipelineUrl",
        *(f"{name}Arn" for name in GRADERS),
    }
    for name in GRADERS:
        assert re.fullmatch(rf"{name}Version[0-9a-f]+", outputs[f"{name}Arn"]["Value"]["Ref"])


def test_each_stage_can_be_deployed(template: dict[str, Any]) -> None:
    configuration = tomllib.loads((sam_template.ROOT / "samconfig.toml").read_text())
    stages = template["Parameters"]["Stage"]["AllowedValues"]
    assert stages == ["dev", "staging", "prod"]
    for stage in stages:
        deploy = configuration[stage]["deploy"]["parameters"]
        assert deploy["parameter_overrides"]["Stage"] == stage
        assert deploy["capabilities"] == "CAPABILITY_IAM"
        assert configuration[stage]["global"]["parameters"]["stack_name"] == f"tunedrop-{stage}"
