"""The datasets that a request names: which objects they are, and whether the team may read them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunedrop import identity
from tunedrop.api.documents import ByUpload, DatasetReference
from tunedrop.api.problems import Problem
from tunedrop.run.inputs import pin
from tunedrop.teams import Team, Teams

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOADS = "uploads/"
"""Where uploads by the API lie in the dataset bucket: apart from the inbox, so that none starts a run by itself."""

RECIPES = "recipes/"
"""Where the recipes lie that a run may name: `recipes/<team>/<name>.yaml`."""

UPLOAD_SECONDS = 3600
"""How long after its making an upload may begin."""


@dataclass(frozen=True, slots=True)
class Place:
    """An object in S3."""

    bucket: str
    key: str

    def to_json(self) -> dict[str, str]:
        return {"bucket": self.bucket, "key": self.key}


def place_of(reference: DatasetReference, team: Team, *, teams: Teams, dataset_bucket: str) -> Place:
    """The object that a request names.

    Raises:
        Problem: dataset-not-allowed: the team may not read it, whether it is there or not.
    """
    if isinstance(reference, ByUpload):
        return Place(dataset_bucket, upload_key(team, reference.upload_id))
    bucket, _, key = reference.uri.removeprefix("s3://").partition("/")
    if not _may_read(team, bucket, key, teams, dataset_bucket):
        raise Problem(
            "dataset-not-allowed",
            f"Team {team.name} may not read {reference.uri}. It may read its uploads of POST /uploads, its own "
            "drops in the inbox, and the places that the stack's parameter Teams gives it.",
        )
    return Place(bucket, key)


def require_upload(reference: DatasetReference, place: Place, s3: S3Client) -> None:
    """Make sure that an upload that a request names has been made.

    Raises:
        Problem: upload-unknown.
    """
    if isinstance(reference, ByUpload) and pin(s3, place.bucket, place.key) is None:
        raise Problem(
            "upload-unknown",
            f"Nothing has been uploaded as {reference.upload_id}: send the file to the `url` of POST /uploads first.",
        )


def upload_key(team: Team, upload_id: str) -> str:
    """The key of an upload: below its team, so that no team can name another's."""
    return f"{UPLOADS}{team.name}/{upload_id}/data.jsonl"


def new_upload(team: Team, s3: S3Client, dataset_bucket: str, size: int) -> dict[str, Any]:
    """A place for one file of `size` bytes, and the link that takes it there once, without further credentials.

    The link is signed for the size, and for the condition that nothing lies at the place yet.
    docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    upload_id = secrets.token_hex(16)
    key = upload_key(team, upload_id)
    url = s3.generate_presigned_url(
        "put_object",
        Params={"Bucket": dataset_bucket, "Key": key, "ContentLength": size, "IfNoneMatch": "*"},
        ExpiresIn=UPLOAD_SECONDS,
    )
    return {
        "upload_id": upload_id,
        "uri": f"s3://{dataset_bucket}/{key}",
        "url": url,
        "headers": {"If-None-Match": "*"},
    }


def recipe_key(team: Team, name: str) -> str:
    """The key, without its ending, of a recipe that a run names."""
    return f"{RECIPES}{team.name}/{name}"


def _may_read(team: Team, bucket: str, key: str, teams: Teams, dataset_bucket: str) -> bool:
    if bucket == dataset_bucket:
        if key.startswith(f"{UPLOADS}{team.name}/"):
            return True
        if key.startswith(identity.INBOX):
            return teams.of_dataset_name(identity.dataset_name(key)) == team.name
        if key.startswith((UPLOADS, RECIPES)):
            return False
    return any(f"s3://{bucket}/{key}".startswith(prefix) for prefix in team.datasets)
