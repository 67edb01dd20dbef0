"""The calls of AWS's notebooks on reinforcement fine-tuning of Nova, by plain boto3: nothing here names an endpoint.

The last line on stdout is a JSON object that says how it went.
"""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime.type_defs import InferenceConfigurationTypeDef, MessageTypeDef

ROWS = Path(__file__).resolve().parents[3] / "events/datasets/gsm8k/train.jsonl"
REGION = "us-east-1"
BUCKET = "rft-notebook"
PROFILE = "us.amazon.nova-2-lite-v1:0"
REWARD_FUNCTION = """
import re

def lambda_handler(event, context):
    scores = []
    for sample in event:
        reference = (sample.get("metadata") or {}).get("reference_answer") or sample.get("reference_answer")
        text = reference.get("text") or reference.get("final_answer") if isinstance(reference, dict) else reference
        wanted = re.findall(r"#### (\\-?[0-9.,]+)", str(text))
        said = re.findall(r"#### (\\-?[0-9.,]+)", sample["messages"][-1]["content"][-300:])
        score = float(bool(wanted and said) and wanted[-1] == said[-1])
        scores.append({"id": sample["id"], "aggregate_reward_score": score, "metrics_list": []})
    return scores
"""


def role(name: str, service: str) -> str:
    """A role that the service may assume; its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    return arn


def until(look: Any, *ends: str) -> Any:
    """What `look` answers once its status is one of `ends`."""
    while (told := look())["status"] not in ends:
        time.sleep(0.5)
    return told


session = boto3.Session(region_name=REGION)
account = session.client("sts").get_caller_identity()["Account"]
s3, iam, functions = session.client("s3"), session.client("iam"), session.client("lambda")
bedrock, runtime = session.client("bedrock"), session.client("bedrock-runtime")

s3.create_bucket(Bucket=BUCKET)
s3.upload_file(str(ROWS), BUCKET, "rft-data/train.jsonl")
s3.upload_file(str(ROWS), BUCKET, "rft-data/val.jsonl")

lambda_role = role("GSM8K-Lambda-Role", "lambda.amazonaws.com")
iam.attach_role_policy(
    RoleName="GSM8K-Lambda-Role", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)
package = io.BytesIO()
with zipfile.ZipFile(package, "w") as archive:
    archive.writestr("gsm8k_rew_func.py", REWARD_FUNCTION)
functions.create_function(
    FunctionName="gsm8k-reward-function",
    Runtime="python3.11",
    Role=lambda_role,
    Handler="gsm8k_rew_func.lambda_handler",
    Code={"ZipFile": package.getvalue()},
    Timeout=300,
    MemorySize=512,
)
functions.get_waiter("function_active_v2").wait(FunctionName="gsm8k-reward-function")
reward_arn = functions.get_function(FunctionName="gsm8k-reward-function")["Configuration"]["FunctionArn"]
trial = [
    {
        "id": "test_001",
        "messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "It is 4.\n\n#### 4"}],
        "metadata": {"reference_answer": {"text": "#### 4"}},
    }
]
graded = functions.invoke(FunctionName="gsm8k-reward-function", Payload=json.dumps(trial))
reward = json.loads(graded["Payload"].read())[0]["aggregate_reward_score"]

permissions = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{BUCKET}/*", f"arn:aws:s3:::{BUCKET}"],
        },
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/rft-output/*"},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": reward_arn},
    ],
}
bedrock_role = role("BedrockRFTRole", "bedrock.amazonaws.com")
iam.put_role_policy(RoleName="BedrockRFTRole", PolicyName="RFT", PolicyDocument=json.dumps(permissions))

job = bedrock.create_model_customization_job(
    jobName=f"gsm8k-rft-job-{int(time.time())}",
    customModelName="gsm8k-nova-lite-rft",
    roleArn=bedrock_role,
    baseModelIdentifier=f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-2-lite-v1:0:256k",
    customizationType="REINFORCEMENT_FINE_TUNING",
    trainingDataConfig={"s3Uri": f"s3://{BUCKET}/rft-data/train.jsonl"},
    validationDataConfig={"validators": [{"s3Uri": f"s3://{BUCKET}/rft-data/val.jsonl"}]},
    outputDataConfig={"s3Uri": f"s3://{BUCKET}/rft-output/"},
    customizationConfig={
        "rftConfig": {
            "graderConfig": {"lambdaGrader": {"lambdaArn": reward_arn}},
            "hyperParameters": {
                "batchSize": 32,
                "epochCount": 1,
                "evalInterval": 10,
                "inferenceMaxTokens": 750,
                "learningRate": 5e-5,
                "maxPromptLength": 310,
                "reasoningEffort": "high",
                "trainingSamplePerPrompt": 4,
            },
        }
    },
)["jobArn"]
ended = until(
    lambda: bedrock.get_model_customization_job(jobIdentifier=job), "Completed", "Failed", "Stopped", "Stopping"
)
if ended["status"] != "Completed":
    sys.exit(f"the job has ended as {ended['status']}: {ended.get('failureMessage')}")

deployment = bedrock.create_custom_model_deployment(
    modelDeploymentName="gsm8k-nova-lite-rft-deployment",
    modelArn=ended["outputModelArn"],
    tags=[{"key": "purpose", "value": "notebook"}],
)["customModelDeploymentArn"]
deployed = until(
    lambda: bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment), "Active", "Failed"
)

question = json.loads(ROWS.read_text().splitlines()[0])["messages"][-1]["content"]
turn: MessageTypeDef = {"role": "user", "content": [{"text": question}]}
settings: InferenceConfigurationTypeDef = {"maxTokens": 512, "temperature": 0.0}
bodies = json.dumps({"schemaVersion": "messages-v1", "messages": [turn], "inferenceConfig": settings})


def converse(model: str) -> str:
    """The text of Converse."""
    answer = runtime.converse(modelId=model, messages=[turn], inferenceConfig=settings)
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def converse_stream(model: str) -> str:
    """The text of ConverseStream."""
    events = runtime.converse_stream(modelId=model, messages=[turn], inferenceConfig=settings)["stream"]
    return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)


def invoke(model: str) -> str:
    """The text of InvokeModel."""
    answer = json.loads(runtime.invoke_model(modelId=model, body=bodies)["body"].read())
    text: str = answer["output"]["message"]["content"][0]["text"]
    return text


def invoke_stream(model: str) -> str:
    """The text of InvokeModelWithResponseStream."""
    chunks = [
        json.loads(event["chunk"]["bytes"])
        for event in runtime.invoke_model_with_response_stream(modelId=model, body=bodies)["body"]
    ]
    return "".join(chunk["contentBlockDelta"]["delta"]["text"] for chunk in chunks if "contentBlockDelta" in chunk)


answers = {
    name: {asked(model) for asked in (converse, converse_stream, invoke, invoke_stream)}
    for name, model in (("tuned", deployment), ("base", PROFILE))
}
tags = bedrock.list_tags_for_resource(resourceARN=deployment)["tags"]
models = bedrock.list_custom_models(nameContains="nova-lite-rft")["modelSummaries"]
bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment)
bedrock.delete_custom_model(modelIdentifier=ended["outputModelArn"])
sys.stdout.write(
    json.dumps(
        {
            "account": account,
            "reward": reward,
            "job": ended["status"],
            "deployment": deployed["status"],
            "answers": {name: [bool(text) for text in texts] for name, texts in answers.items()},
            "tags": tags,
            "models": [model["modelName"] for model in models],
            "left": bedrock.list_custom_models()["modelSummaries"],
        }
    )
)
