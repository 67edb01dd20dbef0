"""Deletes one thing that an ended run left behind. Each deletion can be repeated: what is gone already is no error."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tunedrop.identity import TRAIN_NAMES
from tunedrop.retention.rules import RUN

if TYPE_CHECKING:
    from tunedrop.resources import Resources
    from tunedrop.run.record import PinnedObject, RunRecord


class Deletion:
    """What a sweep deletes with; it looks once which objects runs that go on have pinned."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def of(self, record: RunRecord, kind: str) -> str | None:
        """Delete it, all but the record itself; what was deleted, None where it takes another sweep.

        Raises:
            Busy, Refused, Unclear, ServiceBusy, ClientError: it could not be deleted now.
        """
        if kind == "dataset":
            return self._dataset(record)
        if kind == RUN:
            if record.deploying_at is not None:  # of a model that the run only tested
                self._resources.backend(record).undeploy(record.run_id)
            count = self._resources.folder(record.run_id).delete()
            self._resources.training_events.forget(record.run_id)
            return f"{count} objects of its folder, its training events and its record"
        backend = self._resources.backend(record)
        if kind == "model":
            return record.tuned_model if backend.delete_model(record.run_id, record.tuned_model or "") else None
        backend.delete_file(record.file_id or "")
        return record.file_id

    def _dataset(self, record: RunRecord) -> str | None:
        """Delete the versions that the run was dropped with, but nothing beside them that a later drop may use."""
        train, bucket = record.train, self._resources.settings.dataset_bucket
        if train is None or train.bucket != bucket:
            return ""
        own = [train]
        if not self._dropped_again(train):
            own += [each for each in (record.test, record.recipe_file) if each is not None and each.version_id]
        if any((each.key, each.version_id) in self._pinned for each in own):
            return None
        for each in own:
            self._resources.s3.delete_object(Bucket=bucket, Key=each.key, VersionId=each.version_id)
        return ", ".join(f"{each.uri}?versionId={each.version_id}" for each in own)

    def _dropped_again(self, train: PinnedObject) -> bool:
        """Whether another training file lies in the folder now."""
        folder = train.key.rpartition("/")[0]
        keys = {f"{folder}/{name}" for name in TRAIN_NAMES}
        pages = self._resources.s3.get_paginator("list_object_versions").paginate(
            Bucket=train.bucket, Prefix=f"{folder}/{TRAIN_NAMES[0]}"
        )
        return any(
            each["Key"] in keys
            and each["IsLatest"]
            and (each["Key"], each["VersionId"]) != (train.key, train.version_id)
            for page in pages
            for each in page.get("Versions", [])
        )

    @cached_property
    def _pinned(self) -> frozenset[tuple[str, str]]:
        """What the runs that go on read, by key and version."""
        return frozenset(
            (each.key, each.version_id)
            for record in self._resources.runs.unfinished()
            for each in (record.train, record.test, record.recipe_file)
            if each is not None
        )
