"""The four documents that a run leaves in its folder, ready to be written."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tunedrop.reporting.facts import RunFacts
from tunedrop.reporting.manifest import build_manifest
from tunedrop.reporting.model_card import render_model_card
from tunedrop.reporting.page import render_html
from tunedrop.reporting.report import build_report
from tunedrop.run import folder as names


class Document(NamedTuple):
    """One object of a run's folder."""

    name: str
    body: bytes
    content_type: str


def documents(facts: RunFacts) -> list[Document]:
    """report.json, report.html, model_card.md, and manifest.json with the hashes of the other three."""
    report = build_report(facts)
    made = [
        Document(names.REPORT, _json(report), "application/json"),
        Document(names.REPORT_PAGE, _encoded(render_html(report)), "text/html; charset=utf-8"),
        Document(names.MODEL_CARD, _encoded(render_model_card(report)), "text/markdown; charset=utf-8"),
    ]
    manifest = build_manifest(facts, files={document.name: document.body for document in made})
    return [*made, Document(names.AUDIT_MANIFEST, _json(manifest), "application/json")]


def _json(document: Any) -> bytes:
    return _encoded(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1))


def _encoded(text: str) -> bytes:
    # A dataset may hold lone surrogates, which UTF-8 cannot.
    return text.encode("utf-8", "replace")
