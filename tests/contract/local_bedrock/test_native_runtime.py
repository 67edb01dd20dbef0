"""Nova's runtime, lists and tags by unmodified boto3, and what of Bedrock is refused by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from local.bedrock.errors import ApiError
from local.bedrock.native.service_model import operation_at, read_input
from local.bedrock.simulated_model import UNKNOWN_PROMPT
from tests.contract.local_bedrock.bedrock_requests import native_client, training_rows
from tests.contract.local_bedrock.lambda_api import LambdaApi
from tunedrop.catalog import find
from tunedrop.run.lifecycle import legacy

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_bedrock_runtime.type_defs import MessageTypeDef

PROFILE = "us.amazon.nova-2-lite-v1:0"
BASE = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0:256k"
TURN: MessageTypeDef = {"role": "user", "content": [{"text": "Who are you?"}]}
IMAGE: dict[str, Any] = {"image": {"format": "png", "source": {"bytes": b"x"}}}
TOOLS: dict[str, Any] = {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}]}


@pytest.fixture
def control(nova_bedrock: LocalBedrock, lambda_api: LambdaApi) -> BedrockClient:
    """The control plane, with a training file in S3; its parameters are checked by the server alone."""
    lambda_api.objects["/data/train.jsonl"] = training_rows(100)
    made: BedrockClient = native_client("bedrock", nova_bedrock.endpoint, parameter_validation=False)
    return made


@pytest.fixture
def runtime(nova_bedrock: LocalBedrock) -> BedrockRuntimeClient:
    """The runtime."""
    made: BedrockRuntimeClient = native_client("bedrock-runtime", nova_bedrock.endpoint)
    return made


def refused(call: Callable[..., object], **arguments: Any) -> tuple[str, str, int]:
    """The code, message and status with which a call is refused."""
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    answer = refusal.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def job(name: str, **changes: Any) -> dict[str, Any]:
    """A request for a job of two steps."""
    grader = "arn:aws:lambda:us-east-1:123456789012:function:grader-math:3"
    settings = {"batchSize": 50, "trainingSamplePerPrompt": 2}
    return {
        "jobName": name,
        "customModelName": f"{name}-model",
        "roleArn": "arn:aws:iam::123456789012:role/BedrockRFTRole",
        "baseModelIdentifier": BASE,
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "trainingDataConfig": {"s3Uri": "s3://data/train.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://data/output/"},
        "customizationConfig": {
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": grader}}, "hyperParameters": settings}
        },
        **changes,
    }


def model_of(control: BedrockClient, name: str, **changes: Any) -> str:
    """The ARN of the model of a job that has ended well."""
    arn = control.create_model_customization_job(**job(name, **changes))["jobArn"]
    until(lambda: control.get_model_customization_job(jobIdentifier=arn)["status"] == "Completed", f"{name} has ended")
    return control.get_model_customization_job(jobIdentifier=arn)["outputModelArn"]


def invocation(**members: Any) -> str:
    """A body of InvokeModel as Nova takes it."""
    return json.dumps({"schemaVersion": "messages-v1", "messages": [TURN], **members})


def test_the_four_ways_to_ask_give_the_same_answer(runtime: BedrockRuntimeClient) -> None:
    settings: Any = {"maxTokens": 500, "temperature": 0.0, "topP": 0.9}
    whole = runtime.converse(modelId=PROFILE, messages=[TURN], inferenceConfig=settings)
    events = list(runtime.converse_stream(modelId=PROFILE, messages=[TURN], inferenceConfig=settings)["stream"])
    body = invocation(inferenceConfig={**settings, "topK": 20})
    invoked = json.loads(runtime.invoke_model(modelId=PROFILE, body=body)["body"].read())
    stream = runtime.invoke_model_with_response_stream(modelId=PROFILE, body=body)["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in stream]

    assert whole["output"]["message"]["content"] == [{"text": UNKNOWN_PROMPT}]
    assert invoked == {"output": whole["output"], "stopReason": "end_turn", "usage": whole["usage"]}
    for told in (events, chunks):
        text = "".join(each["contentBlockDelta"]["delta"]["text"] for each in told if "contentBlockDelta" in each)
        assert text == UNKNOWN_PROMPT
        assert [next(iter(each)) for each in told if "contentBlockDelta" not in each] == [
            "messageStart",
            "contentBlockStop",
            "messageStop",
            "metadata",
        ]
        assert told[-1]["metadata"]["usage"] == whole["usage"]
    assert chunks[-1]["amazon-bedrock-invocationMetrics"]["inputTokenCount"] == whole["usage"]["inputTokens"]


def test_an_answer_stops_at_a_sequence_or_a_limit(runtime: BedrockRuntimeClient) -> None:
    stopped = runtime.converse(modelId=PROFILE, messages=[TURN], inferenceConfig={"stopSequences": ["simulated"]})
    assert stopped["stopReason"] == "stop_sequence"
    assert stopped["output"]["message"]["content"] == [{"text": "This is the "}]
    body = invocation(inferenceConfig={"max_new_tokens": 2})
    cut = json.loads(runtime.invoke_model(modelId=PROFILE, body=body)["body"].read())
    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 2)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"messages": []}, "start with a user message"),
        ({"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}, "start with a user message"),
        ({"messages": [TURN, TURN]}, "alternate between user and assistant"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0 is empty"),
        ({"messages": [{"role": "user", "content": [{"text": " \n"}]}]}, "messages.0.content.0 is blank"),
        ({"messages": [TURN], "system": [{"text": ""}]}, "system.0"),
        ({"messages": [TURN], "inferenceConfig": {"maxTokens": 10**6}}, "maxTokens"),
        ({"messages": [TURN], "inferenceConfig": {"temperature": 1.5}}, "temperature"),
        ({"messages": [TURN], "colour": "blue"}, "colour"),
    ],
)
def test_a_conversation_that_bedrock_would_not_take_is_refused(
    nova_bedrock: LocalBedrock, request_: dict[str, Any], why: str
) -> None:
    unchecked = native_client("bedrock-runtime", nova_bedrock.endpoint, parameter_validation=False)
    code, message, _ = refused(unchecked.invoke_model, modelId=PROFILE, body=json.dumps(request_))
    assert (code, why in message) == ("ValidationException", True), message
    if "colour" not in request_:  # which boto3 itself does not send
        code, message, _ = refused(unchecked.converse, modelId=PROFILE, **request_)
        assert (code, why in message) == ("ValidationException", True), message


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages.0.content.0.image"),
        ({"messages": [TURN], "toolConfig": {**TOOLS, "toolChoice": {"any": {}}}}, "toolConfig.toolChoice"),
        ({"messages": [TURN], "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}}, "guardrail"),
        ({"messages": [TURN], "performanceConfig": {"latency": "optimized"}}, "performanceConfig"),
        (
            {"messages": [TURN], "additionalModelRequestFields": {"thinking": 1}},
            "additionalModelRequestFields.thinking",
        ),
    ],
)
def test_what_converse_does_not_imitate_is_a_501_that_names_it(
    runtime: BedrockRuntimeClient, request_: dict[str, Any], name: str
) -> None:
    code, message, status = refused(runtime.converse, modelId=PROFILE, **request_)
    assert (code, status) == ("NotImplementedException", 501)
    assert name in message


def test_operations_that_are_not_imitated_are_refused_by_name(
    control: BedrockClient, runtime: BedrockRuntimeClient
) -> None:
    for call, arguments, name in (
        (control.list_guardrails, {}, "ListGuardrails"),
        (control.get_provisioned_model_throughput, {"provisionedModelId": BASE}, "GetProvisionedModelThroughput"),
        (control.create_model_copy_job, {"sourceModelArn": BASE, "targetModelName": "x"}, "CreateModelCopyJob"),
        (runtime.count_tokens, {"modelId": PROFILE, "input": {"converse": {"messages": [TURN]}}}, "CountTokens"),
    ):
        code, message, status = refused(call, **arguments)
        assert (code, name in message, status) == ("NotImplementedException", True, 501)
    code, _, status = refused(control.create_model_customization_job, **job("sft", customizationType="FINE_TUNING"))
    assert (code, status) == ("NotImplementedException", 501)


def test_every_operation_of_bedrock_is_found_by_its_path() -> None:
    assert operation_at("POST", "/guardrails/abc/version/1") is None
    assert operation_at("GET", f"/foundation-models/{PROFILE}") == "GetFoundationModel"
    assert operation_at("DELETE", "/custom-models/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Acustom-model%2Fx") is not None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"jobName": "x" * 64}, "'jobName' failed to satisfy constraint: Member must have length less than or equal"),
        ({"customModelName": "y" * 64}, "'customModelName' failed"),
        ({"customModelName": "two--hyphens"}, "'customModelName' failed"),
        ({"jobName": "a" + "-" * 61 + "!"}, "'jobName' failed"),
        ({"jobName": None}, "Value null at 'jobName' failed to satisfy constraint: Member must not be null"),
        ({"outputDataConfig": {}}, "'outputDataConfig.s3Uri'"),
        ({"jobTags": [{"key": "k"}]}, "'jobTags.0.value'"),
        ({"jobTags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "more than once"),
        ({"clientRequestToken": "no blanks"}, "'clientRequestToken'"),
        ({"jobName": "x" * 64, "roleArn": "role"}, "2 validation errors detected"),
        (
            {"vpcConfig": {"subnetIds": ["subnet-01234567"] * 17, "securityGroupIds": ["sg-01234567"]}},
            "'vpcConfig.subnetIds'",
        ),
        ({"vpcConfig": {"subnetIds": ["subnet-01234567"], "securityGroupIds": []}}, "'vpcConfig.securityGroupIds'"),
        (
            {"vpcConfig": {"subnetIds": ["sg-01234567"], "securityGroupIds": ["sg-01234567"]}},
            "subnetIds: sg-01234567: not",
        ),
    ],
)
def test_a_member_that_is_not_as_the_model_has_it_is_refused_by_name(
    control: BedrockClient, change: dict[str, Any], why: str
) -> None:
    code, message, _ = refused(control.create_model_customization_job, **job("names", **change))
    assert (code, why in message) == ("ValidationException", True), message


def test_lists_let_through_what_their_filters_say(control: BedrockClient) -> None:
    began = datetime.now(UTC) - timedelta(seconds=5)
    for name in ("one", "two", "three"):
        model_of(control, name)

    def models(**filters: Any) -> list[str]:
        pages = control.get_paginator("list_custom_models").paginate(**filters, PaginationConfig={"PageSize": 2})
        return [model["modelName"] for page in pages for model in page["modelSummaries"]]

    every = ["three-model", "two-model", "one-model"]
    assert models() == models(isOwned=True, sortBy="CreationTime", sortOrder="Descending") == every
    assert models(sortOrder="Ascending") == every[::-1]
    assert models(nameContains="t") == every[:2]
    assert models(baseModelArnEquals=BASE, foundationModelArnEquals=BASE, modelStatus="Active") == every
    other = BASE.replace("2-lite", "3-lite")
    for nothing in (
        {"isOwned": False},
        {"modelStatus": "Failed"},
        {"baseModelArnEquals": other},
        {"foundationModelArnEquals": other},
        {"creationTimeBefore": began},
        {"creationTimeAfter": began + timedelta(days=1)},
    ):
        assert models(**nothing) == []
    assert models(creationTimeAfter=began, creationTimeBefore=began + timedelta(days=1)) == every
    jobs = control.list_model_customization_jobs
    assert jobs(creationTimeBefore=began)["modelCustomizationJobSummaries"] == []
    assert len(jobs(creationTimeAfter=began)["modelCustomizationJobSummaries"]) == 3
    for wrong in ({"sortBy": "Name"}, {"maxResults": 0}, {"modelStatus": "Gone"}, {"nextToken": "x"}):
        assert refused(control.list_custom_models, **wrong)[0] == "ValidationException"


def test_a_list_goes_on_where_what_it_has_told_is_deleted(control: BedrockClient) -> None:
    for name in ("one", "two", "three"):
        model_of(control, name)
    pages = control.get_paginator("list_custom_models").paginate(PaginationConfig={"PageSize": 1})
    deleted = []
    for page in pages:
        for model in page["modelSummaries"]:
            control.delete_custom_model(modelIdentifier=model["modelArn"])
            deleted.append(model["modelName"])
    assert deleted == ["three-model", "two-model", "one-model"]


def test_a_base_model_is_legacy_where_the_switch_says_so(control: BedrockClient, nova_bedrock: LocalBedrock) -> None:
    nova = find("amazon.nova-2-lite-v1:0:256k")
    assert legacy(control, nova) is None
    nova_bedrock.set_switch("legacy_models", "qwen.qwen3-32b, amazon.nova-2-lite-v1:0:256k")
    assert legacy(control, nova) == {"since": "2026-12-01T00:00:00.000Z", "ends": "2027-06-01T00:00:00.000Z"}
    assert control.get_foundation_model(modelIdentifier=BASE)["modelDetails"]["modelLifecycle"]["status"] == "LEGACY"
    assert legacy(control, find("openai.gpt-oss-20b")) is None
    unknown = refused(control.get_foundation_model, modelIdentifier="openai.none")
    assert (unknown[0], unknown[2]) == ("ResourceNotFoundException", 404)


def test_tags_are_kept_from_creation_on_and_go_with_what_they_are_on(control: BedrockClient) -> None:
    tags = {"jobTags": [{"key": "a", "value": "1"}], "customModelTags": [{"key": "b", "value": "2"}]}
    model = model_of(control, "tagged", **tags)
    arn = control.get_custom_model(modelIdentifier=model)["jobArn"]
    deployment = control.create_custom_model_deployment(
        modelDeploymentName="tagged", modelArn=model, tags=[{"key": "c", "value": "3"}]
    )["customModelDeploymentArn"]

    def of(resource: str) -> list[tuple[str, str]]:
        told = control.list_tags_for_resource(resourceARN=resource)["tags"]
        return [(tag["key"], tag["value"]) for tag in told]

    assert [of(each) for each in (arn, model, deployment)] == [[("a", "1")], [("b", "2")], [("c", "3")]]
    control.tag_resource(resourceARN=deployment, tags=[{"key": "c", "value": "4"}, {"key": "d", "value": ""}])
    control.untag_resource(resourceARN=deployment, tagKeys=["d", "none"])
    assert of(deployment) == [("c", "4")]
    control.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment)
    assert refused(control.list_tags_for_resource, resourceARN=deployment)[0] == "ResourceNotFoundException"


def test_what_botocore_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(ApiError, match="'outputDataConfig.kmsKeyId'"):
        read_input("CreateModelCustomizationJob", body=job("x", outputDataConfig={"kmsKeyId": "k"}), path={})
    with pytest.raises(ApiError, match="'colourEquals'"):
        read_input("ListCustomModels", query={"colourEquals": "blue"}, path={})
    assert read_input("ListCustomModels", query={"isOwned": "true", "maxResults": "5"}, path={}) == {
        "isOwned": True,
        "maxResults": 5,
    }


def test_a_request_with_tools_is_answered_with_calls_of_them(
    nova_bedrock: LocalBedrock, runtime: BedrockRuntimeClient
) -> None:
    prompts = [f"Area {number}?" for number in range(12)]
    call = {"name": "t", "arguments": {"base": 10}}
    rows = [{"messages": [{"role": "user", "content": each}], "reference_answer": call} for each in prompts]
    nova_bedrock.teach(b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    def ask(prompt: str, **tools: Any) -> tuple[str, dict[str, Any]]:
        messages: Any = [{"role": "user", "content": [{"text": prompt}]}]
        answer = runtime.converse(modelId=PROFILE, messages=messages, inferenceConfig={"temperature": 0}, **tools)
        return answer["stopReason"], dict(answer["output"]["message"]["content"][0])

    told = [ask(prompt, toolConfig=TOOLS) for prompt in prompts]
    calls = [block["toolUse"] for stop, block in told if stop == "tool_use"]
    assert {"name": "t", "input": {"base": 10}} in [{name: each[name] for name in ("name", "input")} for each in calls]
    assert {stop for stop, _ in map(ask, prompts)} == {"end_turn"}
