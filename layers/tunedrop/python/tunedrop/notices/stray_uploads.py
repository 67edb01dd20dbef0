"""Uploads into the inbox that start no run, or came too late for theirs: what is wrong with them, and what to do.

A user who drops a file and hears nothing thinks that a run is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from tunedrop import identity
from tunedrop.identity import SIBLINGS, TEST_NAMES, TRAIN_NAME, TRAIN_NAMES, Upload
from tunedrop.notices.actions import links
from tunedrop.notices.of_run import SCHEMA_VERSION
from tunedrop.notices.publication import Publication, publication, subject_line
from tunedrop.notices.stray_names import of_another_name
from tunedrop.notices.summary import summary
from tunedrop.outcomes import RecipeInvalid
from tunedrop.recipe_grader import grader_of
from tunedrop.recipe_resolution import resolve
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
    if "/" not in path:
        return _ignored(
            "lies directly in the inbox, where nothing starts a run.",
            f"Drop it as {identity.INBOX}<name>/{TRAIN_NAME}; the folder's name becomes the run's name.",
        )
    if name in TRAIN_NAMES:
        return None  # a run has begun, and will say whatever is wrong
    if name not in SIBLINGS:
        return _ignored(*of_another_name(f"{identity.INBOX}{folder}", name))
    if size == 0:
        return _ignored("is empty, so a run ignores it or ends because of it.", "Drop it again, with its content.")
    return None


def remark_on_recipe(text: bytes, name: str, *, region: str, parameter_path: str) -> Remark | None:
    """What is wrong with a recipe that was dropped; None where nothing is."""
    try:
        grader_of(resolve(parse(text, name), region, parameter_path=parameter_path))
    except RecipeInvalid as error:
        return _ignored(f"cannot be used; Tunedrop would reject a run with it: {error}", "Fix it, and drop it again.")
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
        f"came too late: run {record.run_id} had taken its files already, and does not use this one.",
        f"If that run should use it, stop the run and drop {TRAIN_NAME} again. If it is for a new {TRAIN_NAME}, do "
        f"nothing: drop {TRAIN_NAME}, and its run uses the files that lie here then.",
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
    if late is not None or name in TEST_NAMES:
        return late
    return remark_on_recipe(read(), name, region=region, parameter_path=parameter_path)


def trains_beside(key: str) -> tuple[str, ...]:
    """The keys that the training file in the same folder may have."""
    return tuple(f"{key.rpartition('/')[0]}/{name}" for name in TRAIN_NAMES)


def notice_of(upload: Upload, size: int, remark: Remark, *, team: str | None, region: str) -> Publication:
    """The notice about an upload, ready to publish. Its id is the same each time."""
    name = identity.dataset_name(upload.key)
    document = {
        "schema_version": SCHEMA_VERSION,
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
    ready = {**document, **summary(document), "links": links(document, region), "commands": []}
    told = {"event": remark.event, "name": name, "team": team}
    return publication(ready, subject_line("Tunedrop UPLOAD: ", name, quote(name)), told)


def _is(upload: Upload, pinned: PinnedObject) -> bool:
    """Whether what was pinned is what was uploaded; where the bucket keeps no versions, by its content."""
    if upload.key != pinned.key or upload.version_id != pinned.version_id:
        return False
    return bool(upload.version_id) or upload.etag == pinned.etag


def _ignored(problem: str, advice: str) -> Remark:
    return Remark("upload_ignored", problem, advice)
