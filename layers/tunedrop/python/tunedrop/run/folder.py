"""The folder of a run in S3: what is too large for the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TRAIN = "train.jsonl"
TEST = "test.jsonl"
FINDINGS = "findings.json"
FINDINGS_PAGE = "findings.html"
CORRECTED_TRAIN = "corrected/train.jsonl"
CORRECTED_TEST = "corrected/test.jsonl"
REHEARSAL = "rehearsal.json"
METRICS = "metrics.json"
VALIDATION = "validation.jsonl"
TEST_ROWS = "evaluation/rows.jsonl"
PLAN = "evaluation/plan.json"
MANIFEST = "evaluation/manifest.json"
ANSWERS = "evaluation/answers/"
EVALUATION = "evaluation/result.json"
REPORT = "report.json"
REPORT_PAGE = "report.html"
MODEL_CARD = "model_card.md"
AUDIT_MANIFEST = "manifest.json"


def prefix_of(run_id: str) -> str:
    """Where the objects of a run lie in the bucket of the runs."""
    return f"runs/{run_id}/"


class RunFolder:
    """`s3://<bucket>/runs/<run_id>/`. Names are relative to it."""

    def __init__(self, client: S3Client, bucket: str, run_id: str) -> None:
        self._client = client
        self.bucket = bucket
        self.prefix = prefix_of(run_id)

    def key(self, name: str) -> str:
        """The object's key in the bucket."""
        return self.prefix + name

    def uri(self, name: str) -> str:
        """The object's `s3://` address."""
        return f"s3://{self.bucket}/{self.key(name)}"

    def write(self, name: str, body: bytes | IO[bytes], content_type: str = "application/octet-stream") -> None:
        """Put one object; a file object is read from where it stands, in parts where it is large."""
        if isinstance(body, bytes):
            self._client.put_object(Bucket=self.bucket, Key=self.key(name), Body=body, ContentType=content_type)
        else:
            self._client.upload_fileobj(body, self.bucket, self.key(name), ExtraArgs={"ContentType": content_type})

    def write_json(self, name: str, document: Any) -> None:
        """Put `document` as JSON. NaN and infinity are refused with ValueError: JSON has neither."""
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        self.write(name, text.encode("utf-8", "surrogatepass"), "application/json")

    def read(self, name: str) -> bytes:
        """One object, whole."""
        body: bytes = self.stream(name).read()
        return body

    def read_json(self, name: str) -> Any:
        """One object as JSON."""
        return json.loads(self.read(name))

    def stream(self, name: str, start: int | None = None, end: int | None = None) -> Any:
        """One object's body to read in pieces; from byte `start` up to, not including, byte `end` where given."""
        if start is None or end is None:
            return self._client.get_object(Bucket=self.bucket, Key=self.key(name))["Body"]
        return self._client.get_object(Bucket=self.bucket, Key=self.key(name), Range=f"bytes={start}-{end - 1}")["Body"]

    def open_training_file(self) -> IO[bytes]:
        """The training file as a local temporary file, read from its start; gone when it is closed."""
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        self._client.download_fileobj(self.bucket, self.key(TRAIN), file)
        file.seek(0)
        return file

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        return any(found == name for found in self.names(name))

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names of the objects below `prefix`, in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key(prefix))
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self.prefix)
