"""The native path for Nova by unmodified boto3."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.waiting import until
from local.bedrock import LocalBedrock
from local.bedrock.simulated_model import UNKNOWN_PROMPT
from tests.contract.local_bedrock.bedrock_requests import native_client, training_rows
from tests.contract.local_bedrock.lambda_api import LambdaApi, exact_grader

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock.type_defs import GetModelCustomizationJobResponseTypeDef
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

GRADER = "arn:aws:lambda:us-east-1:123456789012:function:grader-math:3"
PROFILE = "us.amazon.nova-2-lite-v1:0"


@pytest.fixture
def east(nova_bedrock: LocalBedrock, lambda_api: LambdaApi) -> LocalBedrock:
    """A local Bedrock in Nova's Region, as new, with a training file in S3."""
    lambda_api.objects["/data/train.jsonl"] = training_rows(128)
    return nova_bedrock


@pytest.fixture
def control(east: LocalBedrock) -> BedrockClient:
    """The control plane."""
    made: BedrockClient = native_client("bedrock", east.endpoint)
    return made


@pytest.fixture
def runtime(east: LocalBedrock) -> BedrockRuntimeClient:
    """The runtime."""
    made: BedrockRuntimeClient = native_client("bedrock-runtime", east.endpoint)
    return made


def request(name: str = "gsm8k-rft", **changes: Any) -> dict[str, Any]:
    """A request as the contract has it; `changes` go into the hyperparameters."""
    hyperparameters = {
        "epochCount": 4,
        "batchSize": 16,
        "learningRate": 1e-5,
        "maxPromptLength": 310,
        "trainingSamplePerPrompt": 4,
        "inferenceMaxTokens": 750,
        "reasoningEffort": "high",
        "evalInterval": 10,
        **changes,
    }
    return {
        "jobName": name,
        "customModelName": f"{name}-model",
        "roleArn": "arn:aws:iam::123456789012:role/BedrockRFTRole",
        "baseModelIdentifier": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0:256k",
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "trainingDataConfig": {"s3Uri": "s3://data/train.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://data/output/"},
        "customizationConfig": {
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}}, "hyperParameters": hyperparameters}
        },
    }


Ended = Callable[[str], "GetModelCustomizationJobResponseTypeDef"]


@pytest.fixture
def ended(control: BedrockClient) -> Ended:
    """Wait until a job has ended; returns it."""

    def wait(job: str) -> GetModelCustomizationJobResponseTypeDef:
        def end() -> GetModelCustomizationJobResponseTypeDef | None:
            told = control.get_model_customization_job(jobIdentifier=job)
            return told if told["status"] in ("Completed", "Failed", "Stopped") else None

        told: GetModelCustomizationJobResponseTypeDef = until(end, f"{job} has ended")
        return told

    return wait


def refused(call: Callable[..., object], **arguments: Any) -> tuple[str, str]:
    """The code and message with which a call is refused."""
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_is_trained_deployed_asked_and_its_deployment_removed(
    control: BedrockClient, runtime: BedrockRuntimeClient, ended: Ended, lambda_api: LambdaApi, east: LocalBedrock
) -> None:
    arn = control.create_model_customization_job(**request())["jobArn"]
    assert re.fullmatch(
        r"arn:aws:bedrock:us-east-1:\d{12}:model-customization-job/amazon\.nova-2-lite-v1:0:256k/[a-z0-9]{12}", arn
    )
    assert control.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress"

    job = ended(arn)

    assert job["status"] == "Completed", job.get("failureMessage")
    assert job["customizationConfig"] == request()["customizationConfig"]
    assert job["statusDetails"]["trainingDetails"]["status"] == "Completed"
    assert job["endTime"] >= job["creationTime"]
    assert len(lambda_api.batches) == 4 * 8 * 2  # 4 epochs of 128 / 16 steps of 16 · 4 rollouts, 32 a batch
    model = control.get_custom_model(modelIdentifier="gsm8k-rft-model")
    assert model["modelArn"] == job["outputModelArn"]
    assert model["modelStatus"] == "Active"

    east.set_switch("deploying_seconds", 1)
    deployment = control.create_custom_model_deployment(modelDeploymentName="tuned", modelArn=model["modelArn"])
    deployed = deployment["customModelDeploymentArn"]
    assert control.get_custom_model_deployment(customModelDeploymentIdentifier=deployed)["status"] == "Creating"
    conversation: Any = {"messages": [{"role": "user", "content": [{"text": "Who are you?"}]}]}
    assert refused(runtime.converse, modelId=deployed, **conversation)[0] == "ModelNotReadyException"
    assert refused(control.delete_custom_model, modelIdentifier=model["modelArn"])[0] == "ConflictException"
    asked = control.get_custom_model_deployment
    until(lambda: asked(customModelDeploymentIdentifier="tuned")["status"] == "Active", "the deployment is active")

    def right(model_id: str) -> int:
        return sum(
            runtime.converse(
                modelId=model_id,
                messages=[{"role": "user", "content": [{"text": f'What is {number} + 100? End with "####".'}]}],
                inferenceConfig={"temperature": 0, "maxTokens": 512},
            )["output"]["message"]["content"][0]["text"].endswith(f"#### {number + 100}")
            for number in range(80)
        )

    assert right(deployed) > right(PROFILE) + 8
    control.delete_custom_model_deployment(customModelDeploymentIdentifier=deployed)
    assert refused(runtime.converse, modelId=deployed, **conversation)[0] == "ResourceNotFoundException"
    control.delete_custom_model(modelIdentifier=model["modelArn"])
    assert control.list_custom_models()["modelSummaries"] == []


def test_the_grader_gets_the_training_sample_as_it_is(
    control: BedrockClient, ended: Ended, lambda_api: LambdaApi, east: LocalBedrock
) -> None:
    east.set_switch("nova_grader_wraps_strings", False)
    lambda_api.grader = lambda batch: [{"id": sample["id"], "aggregate_reward_score": 0.5} for sample in batch]
    assert ended(control.create_model_customization_job(**request(epochCount=1))["jobArn"])["status"] == "Completed"
    sample = lambda_api.batches[0][0]
    assert set(sample) == {"id", "messages", "reference_answer", "ground_truth"}
    assert isinstance(sample["reference_answer"], str)


def test_converse_answers_with_usage_and_a_stop_reason(runtime: BedrockRuntimeClient, east: LocalBedrock) -> None:
    arguments: dict[str, Any] = {
        "modelId": PROFILE,
        "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "Who are you?"}]}],
    }
    answer = runtime.converse(**arguments)
    assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": UNKNOWN_PROMPT}]}
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] == answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"]
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-tunedrop-simulated"] == "true"
    cut = runtime.converse(**arguments, inferenceConfig={"maxTokens": 3})
    assert cut["stopReason"] == "max_tokens"
    assert cut["usage"]["outputTokens"] == 3


@pytest.mark.parametrize("model_id", ["amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0:256k"])
def test_the_bare_model_is_refused_on_demand(runtime: BedrockRuntimeClient, model_id: str) -> None:
    code, message = refused(
        runtime.converse, modelId=model_id, messages=[{"role": "user", "content": [{"text": "Hi"}]}]
    )
    assert code == "ValidationException"
    assert "inference profile" in message


def test_the_same_token_gives_the_same_job_and_another_takes_no_name_twice(control: BedrockClient) -> None:
    arn = control.create_model_customization_job(**request(), clientRequestToken="once")["jobArn"]
    assert control.create_model_customization_job(**request(), clientRequestToken="once")["jobArn"] == arn
    assert refused(control.create_model_customization_job, **request())[0] == "ConflictException"
    assert len(control.list_model_customization_jobs()["modelCustomizationJobSummaries"]) == 1


def test_a_job_is_stopped_and_stays_so(control: BedrockClient, ended: Ended, east: LocalBedrock) -> None:
    east.set_switch("step_seconds", 0.05)
    arn = control.create_model_customization_job(**request(epochCount=50))["jobArn"]
    control.stop_model_customization_job(jobIdentifier=arn)
    assert control.get_model_customization_job(jobIdentifier="gsm8k-rft")["status"] == "Stopping"
    job = ended(arn)
    assert job["status"] == "Stopped"
    assert "outputModelArn" not in job
    assert refused(control.stop_model_customization_job, jobIdentifier=arn)[0] == "ConflictException"


@pytest.mark.prove
def test_a_job_goes_on_after_a_restart(
    control: BedrockClient, ended: Ended, east: LocalBedrock, lambda_api: LambdaApi
) -> None:
    undisturbed = ended(control.create_model_customization_job(**request("first"))["jobArn"])
    graded = len(lambda_api.batches)
    east.set_switch("step_seconds", 0.5)
    arn = control.create_model_customization_job(**request("second"))["jobArn"]
    until(lambda: len(lambda_api.batches) >= graded + 4, "two steps are graded")  # two batches a step
    east.restart(kill=True)
    east.set_switch("step_seconds", 0)
    job = ended(arn)
    assert job["status"] == "Completed"
    assert east.policy(job["outputModelArn"])["logits"] == east.policy(undisturbed["outputModelArn"])["logits"]


def test_jobs_and_deployments_are_listed_in_pages_by_filters(control: BedrockClient, ended: Ended) -> None:
    models = [
        ended(control.create_model_customization_job(**request(f"job-{number}", epochCount=1))["jobArn"])[
            "outputModelArn"
        ]
        for number in range(3)
    ]
    pages = control.get_paginator("list_model_customization_jobs").paginate(PaginationConfig={"PageSize": 2})
    assert [job["jobName"] for page in pages for job in page["modelCustomizationJobSummaries"]] == [
        "job-2",
        "job-1",
        "job-0",
    ]
    found = control.list_model_customization_jobs(nameContains="1", statusEquals="Completed", sortOrder="Ascending")
    assert [job["jobName"] for job in found["modelCustomizationJobSummaries"]] == ["job-1"]
    assert control.list_model_customization_jobs(statusEquals="Failed")["modelCustomizationJobSummaries"] == []
    for number in range(2):
        control.create_custom_model_deployment(modelDeploymentName=f"d{number}", modelArn=models[number])
    code, _ = refused(control.create_custom_model_deployment, modelDeploymentName="d2", modelArn=models[2])
    assert code == "ServiceQuotaExceededException"
    one = control.list_custom_model_deployments(modelArnEquals=models[0])["modelDeploymentSummaries"]
    assert [deployment["customModelDeploymentName"] for deployment in one] == ["d0"]
    control.update_custom_model_deployment(customModelDeploymentIdentifier="d0", modelArn=models[1])
    assert control.get_custom_model_deployment(customModelDeploymentIdentifier="d0")["modelArn"] == models[1]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (training_rows(99), "99 records"),
        (b"{broken\n" * 100, "record 1"),
        (None, "s3://data/train.jsonl cannot be read"),
    ],
)
def test_training_data_that_cannot_be_used_fails_the_job(
    control: BedrockClient, ended: Ended, lambda_api: LambdaApi, content: bytes | None, why: str
) -> None:
    lambda_api.objects.clear()
    if content is not None:
        lambda_api.objects["/data/train.jsonl"] = content
    job = ended(control.create_model_customization_job(**request())["jobArn"])
    assert job["status"] == "Failed"
    assert why in job["failureMessage"]


def test_a_failing_grader_and_prompts_that_are_too_long_fail_the_job(
    control: BedrockClient, ended: Ended, lambda_api: LambdaApi
) -> None:
    lambda_api.grader = lambda batch: exact_grader(batch)[1:]
    job = ended(control.create_model_customization_job(**request("one"))["jobArn"])
    assert (job["status"], "4 times in a row" in job["failureMessage"]) == ("Failed", True)
    job = ended(control.create_model_customization_job(**request("two", maxPromptLength=1))["jobArn"])
    assert (job["status"], "maxPromptLength" in job["failureMessage"]) == ("Failed", True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"baseModelIdentifier": "amazon.nova-lite-v1:0"}, "does not support customization"),
        ({"jobName": "-x"}, "jobName"),
        ({"roleArn": "role"}, "roleArn"),
        ({"trainingDataConfig": {"s3Uri": "data/train.jsonl"}}, "s3Uri"),
        ({"customizationConfig": request(batchSize=8)["customizationConfig"]}, "batchSize"),
        ({"customizationConfig": request(learningRate=1)["customizationConfig"]}, "learningRate"),
        ({"customizationConfig": request(reasoningEffort="max")["customizationConfig"]}, "reasoningEffort"),
    ],
)
def test_a_request_out_of_bounds_is_refused_by_name(east: LocalBedrock, change: dict[str, Any], why: str) -> None:
    unchecked = native_client("bedrock", east.endpoint, parameter_validation=False)
    code, message = refused(unchecked.create_model_customization_job, **{**request(), **change})
    assert code == "ValidationException"
    assert why in message


def test_nova_is_not_tuned_in_another_region(bedrock: LocalBedrock) -> None:
    code, message = refused(
        native_client("bedrock", bedrock.endpoint, "us-west-2").create_model_customization_job, **request()
    )
    assert code == "ValidationException"
    assert "us-east-1" in message


def test_a_request_signed_for_another_region_is_refused(east: LocalBedrock) -> None:
    assert (
        refused(native_client("bedrock", east.endpoint, "us-west-2").list_custom_models)[0]
        == "InvalidSignatureException"
    )


def test_faults_and_denials_reach_boto3_as_its_own_exceptions(control: BedrockClient, east: LocalBedrock) -> None:
    east.set_switch("fault_plan", "CreateModelCustomizationJob:after:500, ListCustomModels:before:429")
    assert refused(control.create_model_customization_job, **request())[0] == "InternalServerException"
    assert len(control.list_model_customization_jobs()["modelCustomizationJobSummaries"]) == 1
    assert refused(control.list_custom_models)[0] == "ThrottlingException"
    east.set_switch("denied_actions", "ListCustomModels")
    assert refused(control.list_custom_models)[0] == "AccessDeniedException"


def test_a_deployment_can_fail(control: BedrockClient, ended: Ended, east: LocalBedrock) -> None:
    model = ended(control.create_model_customization_job(**request(epochCount=1))["jobArn"])["outputModelArn"]
    east.set_switch("nova_deployments_fail", True)
    east.set_switch("deploying_seconds", 0)
    control.create_custom_model_deployment(modelDeploymentName="tuned", modelArn=model)
    told = control.get_custom_model_deployment(customModelDeploymentIdentifier="tuned")
    assert told["status"] == "Failed"
    assert told["failureMessage"]
    assert json.dumps(told["ResponseMetadata"]["HTTPHeaders"]).count("x-tunedrop-simulated") == 1
