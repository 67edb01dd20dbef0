"""Who decided what about a promotion, written into the files of a run that has its report.

report.json, report.html and model_card.md get their part about the promotion anew, and manifest.json the same and the
hashes of the files as they are now. All else in them stays to the byte. What is written follows from the record alone,
so it is the same whoever writes it and however often. Two writers at once cannot mix: each first reads the files, then
the record, and replaces only what it has read (`If-Match`); the one that is too late begins again. A process that dies
between two files is no harm: who runs next finds what is missing, and the manifest is the last one to be written.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tunedrop.outcomes import RunFileBroken, RunFileMissing, ServiceBusy
from tunedrop.reporting.model_card import with_promotion as card_with_promotion
from tunedrop.reporting.page import with_promotion as page_with_promotion
from tunedrop.run import folder as names
from tunedrop.run.folder import FileChanged, RunFolder
from tunedrop.run.promotion import standing
from tunedrop.run.store import RunStore
from tunedrop.service_faults import passes

_TRIES = 5
"""As many writers as may be at work at once: one promotes, the others roll back, and each does it once."""

_log = logging.getLogger(__name__)


def write_decision(run_folder: RunFolder, runs: RunStore, run_id: str) -> None:
    """Bring the run's files up to what its record says of the promotion; written again, nothing changes.

    A file that is gone or that cannot be written is logged: it undoes no promotion.

    Raises:
        ServiceBusy: others changed the files each time.
        ClientError: a fault of S3 that may pass.
    """
    for _ in range(_TRIES):
        try:
            _write(run_folder, runs, run_id)
        except FileChanged:
            continue
        except (RunFileMissing, RunFileBroken, ClientError) as error:
            if isinstance(error, ClientError) and passes(error):
                raise
            _log.error("the files of run %s do not say who decided about its promotion: %s", run_id, error)
        return
    raise ServiceBusy(f"the files of run {run_id} were changed by others {_TRIES} times; try again")


def _write(run_folder: RunFolder, runs: RunStore, run_id: str) -> None:
    found = {name: run_folder.read_version(name) for name in (*_WITH, names.AUDIT_MANIFEST)}
    record = runs.load(run_id)  # after the files: what is written over is older than what is written
    promotion = standing(record, record.status)
    bodies = {name: rewritten(found[name].body, promotion) for name, rewritten in _WITH.items()}
    manifest = _json(run_folder, names.AUDIT_MANIFEST, found[names.AUDIT_MANIFEST].body)
    hashed = manifest.get("files") or {}
    for name, body in bodies.items():
        if name in hashed:
            hashed[name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    bodies[names.AUDIT_MANIFEST] = _text({**manifest, "promotion": promotion})
    for name, body in bodies.items():
        if body != found[name].body:
            run_folder.replace(name, body, found[name])


def _report(body: bytes, promotion: Mapping[str, Any]) -> bytes:
    return _text({**json.loads(body), "promotion": promotion})


def _text(document: Mapping[str, Any]) -> bytes:
    """As `RunFolder.write_json` has it."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1).encode("utf-8", "surrogatepass")


def _json(run_folder: RunFolder, name: str, body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise run_folder.broken(name, "it is no JSON object")
    return document


_WITH: Mapping[str, Callable[[bytes, Mapping[str, Any]], bytes]] = {
    names.REPORT: _report,
    names.REPORT_PAGE: page_with_promotion,
    names.MODEL_CARD: card_with_promotion,
}
"""What makes each file anew, from its body and from what there is to say of the promotion."""
