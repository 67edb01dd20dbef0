"""InboxWatch: says what is wrong with an upload into the inbox that starts no run, or came too late for its run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tunedrop import identity
from tunedrop.identity import Upload
from tunedrop.notices import stray_uploads
from tunedrop.notices.publication import Publication
from tunedrop.outcomes import RunNotFound
from tunedrop.recipe_text import RECIPE_BYTES
from tunedrop.resources import Resources
from tunedrop.run.inputs import pin, read
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.states.decision import Decision, for_the_handler


@dataclass(frozen=True, slots=True)
class Watched(Decision):
    """`told`, if a notice about the upload was published; otherwise `nothing`."""

    key: str = for_the_handler("")
    notice_id: str = for_the_handler("")


def run(event: Mapping[str, Any], resources: Resources) -> Watched:
    """Compare an upload with its folder and with the run that began there, and publish a notice if one is due.

    Input: S3's `Object Created` event. Raises EventNotUnderstood for any other.
    """
    upload = identity.upload_of(event)
    if upload is None:
        raise identity.EventNotUnderstood(f"expected S3's `Object Created` event, got the keys {sorted(event)}")
    publication = _notice_about(upload, int(event["detail"]["object"].get("size", 0)), resources)
    if publication is None:
        return Watched("nothing")
    resources.sns.publish(TopicArn=os.environ["NOTICES_TOPIC"], **publication)
    return Watched("told", key=upload.key, notice_id=identity.upload_notice_id(upload))


def _notice_about(upload: Upload, size: int, resources: Resources) -> Publication | None:
    """The notice that an upload of `size` bytes calls for; None if nothing is wrong with it."""

    def text() -> bytes:
        pinned = PinnedObject(upload.bucket, upload.key, upload.version_id, size, upload.etag)
        return read(resources.s3, pinned, most_bytes=RECIPE_BYTES)

    def run_beside() -> RunRecord | None:
        for key in stray_uploads.trains_beside(upload.key):
            train = pin(resources.s3, upload.bucket, key)
            if train is None:
                continue
            with suppress(RunNotFound):
                run_id = identity.run_id_for_upload(Upload(train.bucket, train.key, train.version_id))
                return resources.runs.load(run_id)
        return None

    team = resources.teams.of_dataset_name(identity.dataset_name(upload.key))
    remark = stray_uploads.look_at(
        upload,
        size,
        read=text,
        run_beside=run_beside,
        region=resources.settings.region,
        parameter_path=resources.teams.promotion_path(resources.settings.parameter_path, team),
    )
    if remark is None:
        return None
    return stray_uploads.notice_of(upload, size, remark, team=team, region=resources.settings.region)
