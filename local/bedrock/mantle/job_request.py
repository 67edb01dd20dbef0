"""What a request to create a fine-tuning job must look like."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from local.bedrock.catalog import BaseModel
from local.bedrock.errors import ApiError, invalid, unsupported
from local.bedrock.models import Models
from local.bedrock.records import Document
from local.bedrock.switches import Switches

TUNING_REGION = "us-west-2"  # the only one that fine-tunes open-weight models
LAMBDA_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?")

# The three documented hyperparameters: default, and bounds of our own, since the service's are not known.
_HYPERPARAMETERS: dict[str, tuple[float, float, float, type]] = {
    "n_epochs": (1, 1, 50, int),
    "batch_size": (4, 1, 512, int),
    "learning_rate_multiplier": (1.0, 0.0, 100.0, float),
}
_KNOWN = {"model", "training_file", "validation_file", "method", "seed", "metadata", "suffix", "integrations"}


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request that was checked."""

    base: BaseModel
    model: str
    training_file: str
    validation_file: str | None
    method: Document
    grader: str
    epochs: int
    batch_size: int
    rate: float
    seed: int
    metadata: dict[str, str] | None


def read_job_request(body: Document, *, models: Models, switches: Switches, region: str) -> JobRequest:
    """Check the body of POST /v1/fine_tuning/jobs. Raises ApiError (400) that names the parameter."""
    if body.get("suffix") is not None and switches.suffix == "refuse":
        raise unsupported("suffix")
    if body.get("validation_file") is not None and switches.validation_file == "refuse":
        raise unsupported("validation_file")
    if body.get("integrations"):
        raise unsupported("integrations")
    unknown = sorted(set(body) - _KNOWN)
    if unknown and switches.unknown_parameters == "refuse":
        raise ApiError(400, "unknown_parameter", f"Unknown parameter: '{unknown[0]}'.", param=unknown[0])
    method = _object(body, "method")
    grader = _grader(method)
    chosen = _hyperparameters(method["reinforcement"].get("hyperparameters") or {}, switches)
    return JobRequest(
        base=_base(_text(body, "model"), models, region),
        model=body["model"],
        training_file=_text(body, "training_file"),
        validation_file=body.get("validation_file"),
        method=method,
        grader=grader,
        epochs=int(chosen["n_epochs"]),
        batch_size=int(chosen["batch_size"]),
        rate=float(chosen["learning_rate_multiplier"]),
        seed=_seed(body.get("seed"), switches.job_seed),
        metadata=_metadata(body.get("metadata")),
    )


def _base(model_id: str, models: Models, region: str) -> BaseModel:
    found = models.find(model_id)
    if found is None or found.tuned or found.base.tuned_by != "mantle":
        raise invalid(f"Model '{model_id}' is not available for fine-tuning.", param="model")
    if region != TUNING_REGION:
        raise invalid(f"Model '{model_id}' is fine-tuned in {TUNING_REGION} only, this is {region}.", param="model")
    return found.base


def _grader(method: Document) -> str:
    if method.get("type") != "reinforcement":
        raise invalid(
            f"Unsupported method type: {method.get('type')!r}; expected 'reinforcement'.", param="method.type"
        )
    grader = _object(_object(method, "reinforcement"), "grader")
    if grader.get("type") != "lambda":
        raise invalid(
            f"Unsupported grader type: {grader.get('type')!r}; expected 'lambda'.", param="method.reinforcement.grader"
        )
    arn = _object(grader, "lambda").get("function")
    if not isinstance(arn, str) or not LAMBDA_ARN.fullmatch(arn):
        raise invalid(f"Invalid Lambda function ARN: {arn!r}.", param="method.reinforcement.grader.lambda.function")
    return arn


def _hyperparameters(given: Any, switches: Switches) -> dict[str, float]:
    where = "method.reinforcement.hyperparameters"
    if not isinstance(given, dict):
        raise invalid(f"Invalid '{where}': expected an object.", param=where)
    unknown = sorted(set(given) - set(_HYPERPARAMETERS))
    if unknown and switches.unknown_hyperparameters == "refuse":
        raise ApiError(
            400, "unknown_parameter", f"Unknown hyperparameter: '{unknown[0]}'.", param=f"{where}.{unknown[0]}"
        )
    chosen: dict[str, float] = {}
    for name, (default, least, most, kind) in _HYPERPARAMETERS.items():
        value = given.get(name)
        if value is None or (value == "auto" and switches.auto_hyperparameters == "accept"):
            value = default
        numeric = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        whole = kind is float or isinstance(value, int)
        if not (numeric and whole and least <= value <= most and value > 0):
            expected = f"{'a whole number' if kind is int else 'a number'} from {least} to {most}"
            raise invalid(f"Invalid '{name}': expected {expected}, got {value!r}.", param=f"{where}.{name}")
        chosen[name] = value
    return chosen


def _seed(value: Any, otherwise: int) -> int:
    if value is None:
        return otherwise
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**31 - 1:
        raise invalid(f"Invalid 'seed': expected a whole number from 0 to 2147483647, got {value!r}.", param="seed")
    return value


def _metadata(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    fits = isinstance(value, dict) and len(value) <= 16
    if not fits or not all(isinstance(name, str) and isinstance(text, str) for name, text in value.items()):
        raise invalid("Invalid 'metadata': expected at most 16 pairs of strings.", param="metadata")
    return dict(value)


def _text(body: Document, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"Missing required parameter: '{name}'.", param=name)
    return value


def _object(body: Document, name: str) -> Document:
    value = body.get(name)
    if not isinstance(value, dict):
        raise invalid(f"Missing required parameter: '{name}' (an object).", param=name)
    return value
