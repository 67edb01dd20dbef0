"""What a CreateModelCustomizationJob request asks for, and which of it is not imitated."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from local.bedrock.catalog import NOVA_TUNED
from local.bedrock.errors import not_imitated
from local.bedrock.native.errors import validation
from local.bedrock.native.tags import check_tags
from local.bedrock.records import Document
from local.bedrock.switches import Switches

TUNING_REGION = "us-east-1"  # the only one that fine-tunes Nova
_REFERENCE_LEARNING_RATE = 1e-5  # at it, the simulated policy learns as on the other path

# Defaults are those of AWS's SDK; the service's own are not known.
_DEFAULTS: dict[str, float] = {
    "epochCount": 1,
    "batchSize": 128,
    "learningRate": 1e-5,
    "maxPromptLength": 8192,
    "trainingSamplePerPrompt": 8,
    "inferenceMaxTokens": 2048,
    "evalInterval": 10,
}


@dataclass(frozen=True, slots=True)
class CustomizationRequest:
    """A request that was checked; `hyperparameters` holds a value for every number."""

    job_name: str
    model_name: str
    role: str
    token: str | None
    training_uri: str
    validation: Document
    output: Document
    customization: Document
    grader: str
    hyperparameters: dict[str, float]
    kms_key: str | None = None
    vpc: Document | None = None
    job_tags: list[Document] = field(default_factory=list)
    model_tags: list[Document] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The multiplier of the simulation's learning rates: the square root, since AWS's samples span 1e-5 to 5e-5."""
        return math.sqrt(self.hyperparameters["learningRate"] / _REFERENCE_LEARNING_RATE)


def read_customization_request(given: Document, *, switches: Switches, region: str) -> CustomizationRequest:
    """Read an input whose members have been checked by the service's model.

    Raises ApiError: ValidationException that names the member, NotImplementedException for other kinds of jobs.
    """
    kind = given.get("customizationType", "FINE_TUNING")
    if kind != "REINFORCEMENT_FINE_TUNING":
        raise not_imitated(f"customizationType {kind}, other than REINFORCEMENT_FINE_TUNING,")
    if given.get("hyperParameters"):
        raise not_imitated("hyperParameters, beside those in customizationConfig.rftConfig,")
    base = given["baseModelIdentifier"]
    expected = f"arn:aws:bedrock:{region}::foundation-model/{NOVA_TUNED}"
    if region != TUNING_REGION or base not in (NOVA_TUNED, expected):
        raise validation(
            f"The provided model identifier {base} does not support customization in {region}; "
            f"{NOVA_TUNED} does in {TUNING_REGION}."
        )
    validators = given.get("validationDataConfig") or {"validators": []}
    if validators.get("validators") and switches.nova_validation_data == "refuse":
        raise validation(f"validationDataConfig is not supported for {NOVA_TUNED}.")
    training = given["trainingDataConfig"]
    if training.get("invocationLogsConfig"):
        raise not_imitated("trainingDataConfig.invocationLogsConfig")
    tags = given.get("jobTags") or [], given.get("customModelTags") or []
    for each in tags:
        check_tags(each)
    settings = _inside(_inside(given, "customizationConfig"), "rftConfig")
    grader = _inside(_inside(settings, "graderConfig"), "lambdaGrader")
    chosen = settings.get("hyperParameters") or {}
    return CustomizationRequest(
        job_name=given["jobName"],
        model_name=given["customModelName"],
        role=given["roleArn"],
        token=given.get("clientRequestToken"),
        training_uri=_uri(training),
        validation=validators,
        output=given["outputDataConfig"],
        customization=given["customizationConfig"],
        grader=grader["lambdaArn"],
        hyperparameters={name: _or(chosen.get(name), default) for name, default in _DEFAULTS.items()},
        kms_key=given.get("customModelKmsKeyId"),
        vpc=_vpc(given.get("vpcConfig")),
        job_tags=tags[0],
        model_tags=tags[1],
    )


def _uri(training: Document) -> str:
    uri = training.get("s3Uri")
    if not isinstance(uri, str):
        raise validation("trainingDataConfig.s3Uri is required.")
    return uri


def _vpc(vpc: Document | None) -> Document | None:
    """The service's model lets any letters through; EC2's ids say what they are of. AWS's own words are not known."""
    for member, kind in (("subnetIds", "subnet"), ("securityGroupIds", "sg")):
        wrong = [each for each in (vpc or {}).get(member) or () if not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", each)]
        if wrong:
            raise validation(f"vpcConfig.{member}: {', '.join(wrong)}: not {kind}- with 8 to 17 hexadecimal digits.")
    return vpc


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _inside(given: Document, name: str) -> Document:
    """A member that this kind of job needs, though the model, made for all kinds, does not ask for it."""
    value: Document | None = given.get(name)
    if value is None:
        raise validation(f"{name} is required.")
    return value
