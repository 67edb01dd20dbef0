"""Whether Nova is asked to think before it answers, and what must not be asked then."""

from __future__ import annotations

from typing import Any

from local.bedrock.native.errors import validation
from local.bedrock.records import Document

_EFFORTS = ("low", "medium", "high")
_NOT_AT_HIGH = ("temperature", "topP", "topK", "maxTokens")
"""Refused beside the effort `high`: the first three by Nova 2's user guide; clients leave out `maxTokens`, too."""


def thinks(config: Any, settings: Document) -> bool:
    """Whether `reasoningConfig` turns thinking on; `settings`: those of inference.

    Raises ApiError: ValidationException for a configuration that is none, or that does not go with the settings. The
    words are invented.
    """
    if config is None:
        return False
    kind = config.get("type") if isinstance(config, dict) else None
    if kind not in ("enabled", "disabled") or set(config) - {"type", "maxReasoningEffort"}:
        raise validation(
            "reasoningConfig: expected an object with `type`, enabled or disabled, and `maxReasoningEffort`."
        )
    effort = config.get("maxReasoningEffort")
    if kind == "disabled":
        return False
    if effort not in _EFFORTS:
        raise validation(
            f"reasoningConfig.maxReasoningEffort: expected one of {', '.join(_EFFORTS)}, got {str(effort)[:100]!r}."
        )
    sent = [name for name in _NOT_AT_HIGH if settings.get(name) is not None]
    if effort == "high" and sent:
        raise validation(f"{', '.join(sent)} cannot be used with maxReasoningEffort set to high.")
    return True
