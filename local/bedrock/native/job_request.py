"""What a CreateModelCustomizationJob request must look like."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from local.bedrock.catalog import NOVA_TUNED
from local.bedrock.mantle.job_request import LAMBDA_ARN
from local.bedrock.native.errors import validation
from local.bedrock.records import Document
from local.bedrock.switches import Switches

TUNING_REGION = "us-east-1"  # the only one that fine-tunes Nova
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9+\-.])*")
_MODEL_NAME = re.compile(r"([0-9a-zA-Z][_-]?){1,63}")
_ROLE_ARN = re.compile(r"arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+")
_S3_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")
_REFERENCE_LEARNING_RATE = 1e-5  # at it, the simulated policy learns as on the other path

# Name → default, least, most, kind. Defaults are those of AWS's SDK; the service's own are not known.
_HYPERPARAMETERS: dict[str, tuple[float, float, float, type]] = {
    "epochCount": (1, 1, 50, int),
    "batchSize": (128, 16, 512, int),
    "learningRate": (1e-5, 1e-7, 1e-3, float),
    "maxPromptLength": (8192, 1, math.inf, int),
    "trainingSamplePerPrompt": (8, 2, 16, int),
    "inferenceMaxTokens": (2048, 1, math.inf, int),
    "evalInterval": (10, 1, 100, int),
}
_EFFORTS = ("low", "medium", "high")


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

    @property
    def rate(self) -> float:
        """The multiplier of the simulation's learning rates: the square root, since AWS's samples span 1e-5 to 5e-5."""
        return math.sqrt(self.hyperparameters["learningRate"] / _REFERENCE_LEARNING_RATE)


def read_customization_request(body: Document, *, switches: Switches, region: str) -> CustomizationRequest:
    """Check a request's body. Raises ApiError (ValidationException) that names the member."""
    if body.get("customizationType") != "REINFORCEMENT_FINE_TUNING":
        raise validation("customizationType: the local Bedrock knows REINFORCEMENT_FINE_TUNING alone.")
    base = _matching(body, "baseModelIdentifier", re.compile(r".+"))
    expected = f"arn:aws:bedrock:{region}::foundation-model/{NOVA_TUNED}"
    if region != TUNING_REGION or base not in (NOVA_TUNED, expected):
        raise validation(
            f"The provided model identifier {base} does not support customization in {region}; "
            f"{NOVA_TUNED} does in {TUNING_REGION}."
        )
    validators = body.get("validationDataConfig") or {"validators": []}
    if validators.get("validators") and switches.nova_validation_data == "refuse":
        raise validation(f"validationDataConfig is not supported for {NOVA_TUNED}.")
    settings = _object(_object(body, "customizationConfig"), "rftConfig")
    grader = _object(_object(settings, "graderConfig"), "lambdaGrader").get("lambdaArn")
    if not isinstance(grader, str) or not LAMBDA_ARN.fullmatch(grader):
        raise validation(f"lambdaArn: {grader!r} is no ARN of a Lambda function.")
    training = _object(body, "trainingDataConfig")
    output = _object(body, "outputDataConfig")
    _matching(output, "s3Uri", _S3_URI)
    return CustomizationRequest(
        job_name=_matching(body, "jobName", _JOB_NAME),
        model_name=_matching(body, "customModelName", _MODEL_NAME),
        role=_matching(body, "roleArn", _ROLE_ARN),
        token=body.get("clientRequestToken"),
        training_uri=_matching(training, "s3Uri", _S3_URI),
        validation=validators,
        output=output,
        customization=body["customizationConfig"],
        grader=grader,
        hyperparameters=_hyperparameters(settings.get("hyperParameters") or {}),
    )


def _hyperparameters(given: Document) -> dict[str, float]:
    effort = given.get("reasoningEffort")
    if effort is not None and effort not in _EFFORTS:
        raise validation(f"reasoningEffort: expected one of {', '.join(_EFFORTS)}, got {effort!r}.")
    chosen: dict[str, float] = {}
    for name, (default, least, most, kind) in _HYPERPARAMETERS.items():
        value = given.get(name, default)
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if not numeric or (kind is int and not isinstance(value, int)) or not least <= value <= most:
            raise validation(f"{name}: expected {kind.__name__} from {least:g} to {most:g}, got {value!r}.")
        chosen[name] = value
    return chosen


def _matching(body: Document, name: str, pattern: re.Pattern[str]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise validation(f"{name}: {value!r} does not match {pattern.pattern}.")
    return value


def _object(body: Document, name: str) -> Any:
    value = body.get(name)
    if not isinstance(value, dict):
        raise validation(f"{name} is required.")
    return value
