"""manifest.json: what went into a run, pinned and hashed, for an audit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tunedrop.reporting.facts import RunFacts

SCHEMA_VERSION = "1.0"


def build_manifest(facts: RunFacts, *, files: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """The manifest of a run: inputs with versions and hashes, recipe, grader, code, models, job, seeds.

    `files` are outputs of the run by name, whose SHA-256 is taken. What the run did not reach is null.
    """
    training = facts.training or {}
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": facts.run_id,
        "execution_arn": facts.execution_arn,
        "status": facts.status,
        "simulated": facts.simulated,
        "trained_by": facts.trained_by,
        "trained_on": facts.trained_on,
        "weights": None if facts.weights is None else dict(facts.weights),
        "started_at": facts.started_at,
        "finished_at": facts.finished_at,
        "code_version": facts.code_version or None,
        "dataset": _pinned(facts.dataset),
        "test_set": _pinned(facts.test_set),
        "recipe": facts.recipe,
        "recipe_sha256": None if facts.recipe is None else canonical_sha256(facts.recipe),
        "grader": facts.grader,
        "base_model": facts.base_model,
        "tuned_model": facts.tuned_model,
        "job_id": training.get("job_id"),
        "seeds": dict(facts.seeds),
        "verdict": (facts.evaluation or {}).get("verdict"),
        "promotion": None if facts.promotion is None else dict(facts.promotion),
        "statistics": None
        if facts.evaluation is None
        else {
            "interval": facts.evaluation["comparison"]["reward"]["method"],
            "test": facts.evaluation["comparison"]["reward"]["test"],
            "level": facts.evaluation["level"],
            "random_numbers": "none",
        },
        "files": {
            name: {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)} for name, body in files.items()
        }
        if files
        else {},
    }


def canonical_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document as JSON with sorted keys and no spaces, so that equal documents have equal hashes."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _pinned(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if data is None else {key: data.get(key) for key in ("uri", "version", "rows", "sha256")}
