"""A validation as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunedrop import clock

LONGEST_SECONDS = 3 * 900 + 600
"""The function's timeout, thrice, as Lambda tries an asynchronous call again twice, and its waits between."""


def document(validation_id: str, told: Mapping[str, Any], link: str | None) -> dict[str, Any]:
    """A validation as the API tells it. `link` leads to all findings."""
    result = told["result"]
    reason = (result or {}).get("reason")
    if result is None:
        age = (clock.now() - clock.parse(told["asked_at"])).total_seconds()
        if age > LONGEST_SECONDS:
            reason = {"error": "ValidationLost", "message": "The check did not finish; ask for it again."}
    status = "FAILED" if reason else "DONE" if result else "RUNNING"
    done = result if status == "DONE" else {}
    return {
        "validation_id": validation_id,
        "url": f"/validations/{validation_id}",
        "status": status,
        "valid": done.get("valid"),
        "rows": done.get("rows"),
        "counts": done.get("counts"),
        "findings": done.get("findings"),
        "findings_link": link if status == "DONE" else None,
        "reason": reason,
    }
