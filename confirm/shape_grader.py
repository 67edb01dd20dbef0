"""The grader of the walk's job: rewards answers that hold the reference's last word, and logs the batch's shape.

Deployed for the walk alone, as a function of its own, from this very file. Text never reaches the log: only
names, types and lengths do.
"""

from __future__ import annotations

import json
from typing import Any


def shape(value: Any) -> Any:
    """`value` with its texts and numbers replaced by their types; lists by their length and first element."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {"list of": len(value), "first": shape(value[0]) if value else None}
    return type(value).__name__


def handler(event: Any, context: Any) -> list[dict[str, Any]]:  # noqa: ARG001 - Lambda's signature
    """The service's batch to its answers."""
    last = event[-1] if isinstance(event, list) and event else None
    ids = [each.get("id") for each in event if isinstance(each, dict)] if isinstance(event, list) else []
    told = {
        "shape": shape(event),
        "roles": [message.get("role") for message in (last or {}).get("messages", [])],
        "ids_differ": len(set(map(str, ids))) == len(ids),
    }
    print("BATCH " + json.dumps(told))  # noqa: T201 - the log is where the walk reads it
    return [{"id": each.get("id"), "aggregate_reward_score": _reward(each), "metrics_list": []} for each in event]


def _reward(sample: dict[str, Any]) -> float:
    reference = json.dumps(sample.get("reference_answer") or (sample.get("metadata") or {}).get("reference_answer"))
    words = reference.strip('"}').split()
    answer = json.dumps(sample.get("messages", [{}])[-1].get("content"))
    return float(bool(words) and words[-1] in answer)
