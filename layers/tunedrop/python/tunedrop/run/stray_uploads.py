"""Uploads into the inbox that start no run, or came too late for theirs: what is wrong with them, and what to do.

A user who drops a file and hears nothing thinks that a run is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tunedrop import identity, notice
from tunedrop.graders.of_recipe import grader_of
from tunedrop.identity import SIBLINGS, TEST_NAME, TRAIN_NAME, Upload
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe import resolve
from tunedrop.recipe_text import parse
from tunedrop.run.record import PinnedObject, RunRecord

_SILENT = ("readme", "license", "licence", "notice", ".ds_store", ".gitkeep", "thumbs.db")
"""What lies in many folders, and nobody takes for data: uploads whose name begins so are passed over."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with an upload. `problem` goes on after its address; `run_id`: the run that it is too late for."""

    event: str
    problem: str
    advice: str
    run_id: str | None = None


def remark_on_name(key: str, size: int) -> Remark | None:
    """What is wrong with an upload of this key and size (bytes) by itself; None where nothing is."""
    path = key.removeprefix(identity.INBOX)
    folder, _, name = path.rpartition("/")
    if not name or name.lower().startswith(_SILENT):
        return None
    if not folder:
        return _ignored(
            "lies in the inbox itself, where nothing starts a run.",
            f"Drop it as {identity.INBOX}<name>/{TRAIN_NAME}, in a folder whose name the run will have.",
        )
    if name == TRAIN_NAME:
        return None  # a run has begun, and will say whatever is wrong
    if name not in SIBLINGS:
        return _ignored(_unknown(name), f"Drop it as {identity.INBOX}{folder}/{_nearest(name)}.")
    if size == 0:
        return _ignored(
            "is empty, so it is as good as missing or will end the run.", "Drop it again, with its content."
        )
    return None


def remark_on_recipe(text: bytes, name: str, *, region: str, parameter_path: str) -> Remark | None:
    """What is wrong with a recipe that was dropped; None where nothing is."""
    try:
        grader_of(resolve(parse(text, name), region, parameter_path=parameter_path))
    except RecipeInvalid as error:
        return _ignored(f"cannot be used, and a run with it would be rejected: {error}", "Mend it, and drop it again.")
    return None


def remark_on_lateness(upload: Upload, record: RunRecord | None) -> Remark | None:
    """Whether a sibling came after its run had pinned its inputs; `record`: that of the run of the train.jsonl that
    lies beside it now, None where there is none."""
    if record is None or record.train is None:
        return None
    pinned: tuple[PinnedObject | None, ...] = (record.test, record.recipe_file)
    if any(each is not None and _is(upload, each) for each in pinned):
        return None
    return Remark(
        "upload_late",
        f"came after run {record.run_id} had pinned its inputs, so that run goes on (or went) without it.",
        f"If that run should have had it: stop the run, and drop {TRAIN_NAME} again, now that everything is there. If "
        f"a new {TRAIN_NAME} is on its way, all is well: its run takes what lies here then.",
        record.run_id,
    )


def look_at(
    upload: Upload,
    size: int,
    *,
    read: Callable[[], bytes],
    run_beside: Callable[[], RunRecord | None],
    region: str,
    parameter_path: str,
) -> Remark | None:
    """What is to be said of an upload; `read` and `run_beside` are asked only where it takes them."""
    by_name = remark_on_name(upload.key, size)
    name = upload.key.rpartition("/")[2]
    if by_name is not None or name not in SIBLINGS:
        return by_name
    late = remark_on_lateness(upload, run_beside())
    if late is not None or name == TEST_NAME:
        return late
    return remark_on_recipe(read(), name, region=region, parameter_path=parameter_path)


def train_beside(key: str) -> str:
    """The key of the training file in the same folder."""
    return f"{key.rpartition('/')[0]}/{TRAIN_NAME}"


def notice_of(upload: Upload, size: int, remark: Remark, *, team: str | None) -> dict[str, Any]:
    """The notice about an upload, ready to publish. Its id is the same each time."""
    name = identity.dataset_name(upload.key)
    body = {
        "schema_version": notice.SCHEMA_VERSION,
        "notice_id": identity.upload_notice_id(upload),
        "event": remark.event,
        "run_id": remark.run_id,
        "name": name,
        "team": team,
        "upload": {
            "uri": f"s3://{upload.bucket}/{upload.key}",
            "version": upload.version_id or upload.etag,
            "bytes": size,
        },
        "problem": remark.problem,
        "advice": remark.advice,
    }
    told = notice.attribute_values({"event": remark.event, "name": name, "team": team})
    return notice.publishable(body, notice.subject_line("Tunedrop UPLOAD: ", name), told)


def _is(upload: Upload, pinned: PinnedObject) -> bool:
    """Whether what was pinned is what was uploaded; where the bucket keeps no versions, by its content."""
    if upload.key != pinned.key or upload.version_id != pinned.version_id:
        return False
    return bool(upload.version_id) or upload.etag == pinned.etag


def _ignored(problem: str, advice: str) -> Remark:
    return Remark("upload_ignored", problem, advice)


def _unknown(name: str) -> str:
    known = ", ".join((TRAIN_NAME, *SIBLINGS))
    if name.lower() in (TRAIN_NAME, *SIBLINGS):
        return f"has a name in which capitals matter; the names that count are {known}."
    return f"has a name that starts no run; the names that count are {known}."


def _nearest(name: str) -> str:
    known = [TRAIN_NAME, *SIBLINGS]
    found = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else TRAIN_NAME
