"""Whether Bedrock has declared a base model legacy: then whatever is tuned from it has an end, too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tunedrop import clock
from tunedrop.service_faults import code_of

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

    from tunedrop.catalog import Model

_UNKNOWN = frozenset({"ResourceNotFoundException", "ValidationException"})
_log = logging.getLogger(__name__)


def legacy(client: BedrockClient, model: Model) -> dict[str, str] | None:
    """`since` and `ends` of a model that is legacy, empty where Bedrock does not say; None for any other model.

    Never fails: a run does not wait for a warning. UNCONFIRMED: by which of its ids the control plane knows an
    open-weight model; each is tried.
    """
    for name in (model.id, *model.aliases):
        try:
            answer = client.get_foundation_model(modelIdentifier=name)
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and code_of(error) in _UNKNOWN:
                continue
            _log.warning("Bedrock does not say whether %s is legacy: %s", name, error)
            return None
        told: Any = answer.get("modelDetails")
        told = told.get("modelLifecycle") if isinstance(told, Mapping) else None
        if not isinstance(told, Mapping) or told.get("status") != "LEGACY":
            return None
        return {"since": _time(told.get("legacyTime")), "ends": _time(told.get("endOfLifeTime"))}
    return None


def _time(told: Any) -> str:
    return clock.text(told) if hasattr(told, "astimezone") else ""
