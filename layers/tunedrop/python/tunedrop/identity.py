"""The names that make "once" true: a run's id, and everything that is named after it.

One upload is one run, however often its event is delivered: the id is a hash of bucket, key and version. Every derived
name is made here and nowhere else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SLUG_LENGTH = 30
"""Characters of a dataset's name in a run id. With the hash a run id has at most 30 + 1 + 16 = 47 characters, which
leaves room for prefixes below the 80 of an execution name and the 63 of a Nova job name."""

_HASH_LENGTH = 16
INBOX = "inbox/"
"""Where datasets are dropped: `inbox/<name>/train.jsonl`."""

TRAIN_NAME = "train.jsonl"
TRAIN_NAMES = (TRAIN_NAME, "train.jsonl.gz")
"""The training file, as it is or packed by gzip."""

TEST_NAME = "test.jsonl"
TEST_NAMES = (TEST_NAME, "test.jsonl.gz")
RECIPE_NAMES = ("recipe.yaml", "recipe.yml", "recipe.json")
SIBLINGS = (*TEST_NAMES, *RECIPE_NAMES)
"""What may lie beside the training file, whose upload starts the run."""

_BEDROCK_PREFIX = "tunedrop-"
_RUN_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,45}[a-z0-9])?")
_NOTICE_NAMESPACE = uuid.UUID("5d0f6f0e-2c3a-5b8e-9a44-7c1f6c1b7d11")


class EventNotUnderstood(Exception):
    """An execution was started with an input that names neither an upload nor a run."""


NO_VERSION = "null"
"""S3's version id of an object that was written while its bucket kept no versions: the next upload takes its place."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The object whose arrival started a run.

    A bucket that keeps no versions tells none: `version_id` is empty, `sequencer` tells the uploads of a key apart, and
    `etag` says whether what lies there is still what was uploaded.
    """

    bucket: str
    key: str
    version_id: str
    sequencer: str = ""
    etag: str = ""

    @property
    def moment(self) -> str:
        """What tells this upload from every other one of its key, however often its event is delivered."""
        return self.version_id or self.sequencer or self.etag


def slug(name: str) -> str:
    """`name` as at most 30 characters of a-z, 0-9 and single hyphens; "dataset" where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-") or "dataset"


def dataset_name(key: str) -> str:
    """The dataset's name in an inbox key `inbox/<name>/train.jsonl`: what lies between the inbox and the file."""
    return key.removeprefix(INBOX).rpartition("/")[0] or key


def run_id_for_upload(upload: Upload) -> str:
    """The run that this upload is: the same for every delivery of its event, another for every new version."""
    digest = hashlib.sha256("\0".join((upload.bucket, upload.key, upload.moment)).encode()).hexdigest()
    return f"{slug(dataset_name(upload.key))}-{digest[:_HASH_LENGTH]}"


def new_run_id(name: str) -> str:
    """A fresh id for a run that was asked for by name."""
    return f"{slug(name)}-{secrets.token_hex(_HASH_LENGTH // 2)}"


def is_run_id(text: str) -> bool:
    """Whether `text` has the form of a run id."""
    return _RUN_ID.fullmatch(text) is not None


def kept_version(told: object) -> str:
    """A version id as S3 told it, where it names a version that stays; else ""."""
    return told if isinstance(told, str) and told != NO_VERSION else ""


def upload_of(execution_input: object) -> Upload | None:
    """The upload in an execution's input, where that is S3's `Object Created` event; else None.

    Raises:
        EventNotUnderstood: it is an event of S3's that names no object.
    """
    if not isinstance(execution_input, Mapping) or execution_input.get("source") != "aws.s3":
        return None
    detail = execution_input.get("detail")
    if not isinstance(detail, Mapping):
        return None
    bucket, about = detail.get("bucket"), detail.get("object")
    name = bucket.get("name") if isinstance(bucket, Mapping) else None
    key = about.get("key") if isinstance(about, Mapping) else None
    if not isinstance(about, Mapping) or not isinstance(name, str) or not isinstance(key, str):
        raise EventNotUnderstood("S3's event must name `detail.bucket.name` and `detail.object.key`")
    return Upload(
        bucket=name,
        key=key,
        version_id=kept_version(about.get("version-id")),
        sequencer=str(about.get("sequencer") or ""),
        etag=str(about.get("etag") or "").strip('"'),
    )


def run_id_of(execution_input: object) -> str:
    """The run that an execution of the pipeline was started for.

    Raises:
        EventNotUnderstood: the input is neither an upload's event nor `{"run_id": …}`.
    """
    upload = upload_of(execution_input)
    if upload is not None:
        return run_id_for_upload(upload)
    run_id = execution_input.get("run_id") if isinstance(execution_input, Mapping) else None
    if isinstance(run_id, str) and is_run_id(run_id):
        return run_id
    keys = f"the keys {sorted(map(str, execution_input))[:20]}" if isinstance(execution_input, Mapping) else "no keys"
    raise EventNotUnderstood(
        f"the execution's input must be S3's `Object Created` event or an object with a `run_id`; got one with {keys}"
    )


def execution_arn(machine_arn: str, run_id: str) -> str:
    """The execution of a run that is named after it, as those are that the API starts."""
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{run_id}"


def machine_arn(execution: str) -> str:
    """The state machine of an execution, both by their ARNs."""
    return execution.rpartition(":")[0].replace(":execution:", ":stateMachine:")


def aftermath_name(run_id: str, moment: datetime) -> str:
    """The execution of the aftermath that a sweep starts: one a run and minute, however many sweeps there are."""
    return f"{run_id}-{moment:%Y%m%dT%H%M}"


def training_file_name(run_id: str) -> str:
    """The name under which the run's training file is uploaded to Bedrock."""
    return f"{bedrock_name(run_id)}.jsonl"


def run_id_of_training_file(file_name: str) -> str | None:
    """The run that a file at Bedrock was uploaded for, or None where the file is not one of Tunedrop's."""
    name = file_name.removesuffix(".jsonl")
    return run_id_of_bedrock_name(name) if name != file_name else None


def bedrock_name(run_id: str) -> str:
    """What is named after the run at Bedrock: job, model, deployment. At most 9 + 47 of 63 characters."""
    return f"{_BEDROCK_PREFIX}{run_id}"


def run_id_of_bedrock_name(name: str) -> str | None:
    """The run that something at Bedrock is named after, or None where it is not one of Tunedrop's."""
    run_id = name.removeprefix(_BEDROCK_PREFIX)
    return run_id if name == bedrock_name(run_id) and is_run_id(run_id) else None


def warning_notice_id(run_id: str, finding: str) -> str:
    """The id of the one notice of a training's finding: derived, as the terminal one's."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"warning/{run_id}/{finding}"))


def turn_notice_id(run_id: str) -> str:
    """The id of the one notice that a run waits long for its turn: derived, as the terminal one's."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"turn/{run_id}"))


def deletion_notice_id(told: str) -> str:
    """The id of the one notice that announces these deletions: derived from them, as `told` names them."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"deletion/{told}"))


def started_notice_id(run_id: str) -> str:
    """The id of the one notice that a run has begun: derived, as the terminal one's."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"started/{run_id}"))


def upload_notice_id(upload: Upload) -> str:
    """The id of the one notice about an upload that starts no run, however often its event is delivered."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, "\0".join(("upload", upload.bucket, upload.key, upload.moment))))


def approval_notice_id(run_id: str) -> str:
    """The id of the one notice that asks a person to approve a run's promotion: derived, as the terminal one's."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"approval/{run_id}"))


def decision_notice_id(run_id: str, outcome: str) -> str:
    """The id of the notice of a decision after the run's end: one about the promotion, and one about its roll-back."""
    which = "rolled back" if outcome == "rolled_back" else "decided"
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"promotion/{run_id}/{which}"))


def terminal_notice_id(run_id: str) -> str:
    """The id of a run's one terminal notice: derived, so that no retry can make a second one."""
    return str(uuid.uuid5(_NOTICE_NAMESPACE, f"terminal/{run_id}"))
