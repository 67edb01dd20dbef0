"""report.json: everything that is known of a run, in one versioned document (events/schemas/report.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.reporting.advice import advise
from tunedrop.reporting.facts import RunFacts

SCHEMA_VERSION = "1.0"


def build_report(facts: RunFacts) -> dict[str, Any]:
    """The report of a run, however far it came; what it did not reach is null. Plain JSON values only."""
    report = {
        "schema_version": SCHEMA_VERSION,
        **{key: _plain(value) for key, value in asdict(facts).items()},
        "sentence": sentence(facts),
        "tokens": _tokens(facts.evaluation),
    }
    return {**report, "advice": advise(report)}


def sentence(facts: RunFacts) -> str:
    """How the run ended, in one sentence: the verdict, or why there is none."""
    if facts.evaluation is not None:
        return str(facts.evaluation["sentence"])
    if facts.reason is not None:
        return f"{facts.status.capitalize()}: {facts.reason.get('message') or facts.reason.get('error', '')}"
    return f"{facts.status.capitalize()}, without an evaluation."


def _tokens(evaluation: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the evaluation asked of the models, in tokens; None for a service that does not tell."""
    if evaluation is None:
        return None
    candidates = evaluation["candidates"]
    return {
        name: {kind: candidates[name][f"{kind}_tokens"] for kind in ("prompt", "completion")}
        for name in (BASE, TUNED, *(other for other in candidates if other not in (BASE, TUNED)))
        if name in candidates
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    # A service may send NaN or infinity among its metrics; JSON has neither.
    if isinstance(value, float) and value - value != 0:
        return None
    return value
