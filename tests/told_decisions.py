"""What the files of a run say of its promotion, held to each other and to the hashes in its manifest."""

from __future__ import annotations

import hashlib
import html
import json

from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder


def files(folder: RunFolder) -> dict[str, bytes]:
    """The run's four files. Their hashes in the manifest are held to the files as they are."""
    found = {name: folder.read(name) for name in (names.REPORT, names.REPORT_PAGE, names.MODEL_CARD)}
    found[names.AUDIT_MANIFEST] = folder.read(names.AUDIT_MANIFEST)
    hashed = json.loads(found[names.AUDIT_MANIFEST])["files"]
    assert hashed.keys() == {names.REPORT_PAGE, names.MODEL_CARD}
    for name, told in hashed.items():
        assert told == {"sha256": hashlib.sha256(found[name]).hexdigest(), "bytes": len(found[name])}, name
    return found


def told_decisions(folder: RunFolder) -> list[dict[str, str]]:
    """The decisions that report and manifest give, and that page and card say, too."""
    found = files(folder)
    said = {name: json.loads(found[name])["promotion"] for name in (names.REPORT, names.AUDIT_MANIFEST)}
    assert said[names.REPORT] == said[names.AUDIT_MANIFEST]
    decisions: list[dict[str, str]] = said[names.REPORT]["decisions"]
    shown = {
        names.REPORT_PAGE: html.unescape(found[names.REPORT_PAGE].decode()),
        names.MODEL_CARD: found[names.MODEL_CARD].decode().replace("\\", ""),
    }
    for each in decisions:
        for name, text in shown.items():
            assert f"by {each['by']}, " in text, (name, each)
            assert (each["reason"] or "no reason given") in text, (name, each)
    return decisions
