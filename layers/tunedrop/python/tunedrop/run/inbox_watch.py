"""Watching the inbox: each upload is looked at beside what lies there and the run that began from it."""

from __future__ import annotations

from tunedrop import identity
from tunedrop.identity import Upload
from tunedrop.notices.publication import Publication
from tunedrop.outcomes import RunNotFound
from tunedrop.recipe_text import RECIPE_BYTES
from tunedrop.resources import Resources
from tunedrop.run import stray_uploads
from tunedrop.run.inputs import pin, read
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.teams import Teams


def watch(upload: Upload, size: int, resources: Resources, teams: Teams) -> Publication | None:
    """The notice that an upload of `size` bytes calls for; None where all is well with it."""

    def text() -> bytes:
        pinned = PinnedObject(upload.bucket, upload.key, upload.version_id, size, upload.etag)
        return read(resources.s3, pinned, most_bytes=RECIPE_BYTES)

    def run_beside() -> RunRecord | None:
        train = pin(resources.s3, upload.bucket, stray_uploads.train_beside(upload.key))
        if train is None:
            return None
        try:
            run_id = identity.run_id_for_upload(Upload(train.bucket, train.key, train.version_id))
            return resources.runs.load(run_id)
        except RunNotFound:
            return None

    remark = stray_uploads.look_at(
        upload,
        size,
        read=text,
        run_beside=run_beside,
        region=resources.settings.region,
        parameter_path=resources.settings.parameter_path,
    )
    if remark is None:
        return None
    team = teams.of_dataset_name(identity.dataset_name(upload.key))
    return stray_uploads.notice_of(upload, size, remark, team=team)
