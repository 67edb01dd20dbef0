"""The API's resources: which methods each has, and which parameters of the query each method takes."""

from __future__ import annotations

from collections.abc import Mapping

_RUN = "/runs/{run_id}"

ROUTES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "/runs": {"GET": ("name", "status", "search", "limit", "page"), "POST": ()},
    _RUN: {"GET": ()},
    f"{_RUN}/metrics": {"GET": ("after", "limit")},
    f"{_RUN}/findings": {"GET": ()},
    f"{_RUN}/report": {"GET": ()},
    f"{_RUN}/stop": {"POST": ()},
    f"{_RUN}/approve": {"POST": ("reason",)},
    f"{_RUN}/reject": {"POST": ("reason",)},
    f"{_RUN}/rollback": {"POST": ("reason",)},
    "/uploads": {"POST": ()},
    "/validations": {"POST": ()},
    "/validations/{validation_id}": {"GET": ()},
    "/models": {"GET": ()},
    "/graders": {"GET": ()},
}
"""By the resource's path, as the gateway names it. A test holds it to docs/openapi.json and the template."""
