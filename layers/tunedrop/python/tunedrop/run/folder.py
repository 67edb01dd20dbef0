"""The folder of a run in S3: what is too large for the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from tunedrop.outcomes import RunFileBroken, RunFileMissing, ServiceBusy
from tunedrop.service_faults import code_of

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
TEST_LINES = "test_lines.json"
VALIDATION = "validation.jsonl"
TEST_ROWS = "evaluation/rows.jsonl"
ASKED_LINES = "evaluation/lines.json"
PLAN = "evaluation/plan.json"
MANIFEST = "evaluation/manifest.json"
ANSWERS = "evaluation/answers/"
EVALUATION = "evaluation/result.json"
REPORT = "report.json"
REPORT_PAGE = "report.html"
REPORT_ROWS = "report_rows/"
MODEL_CARD = "model_card.md"
AUDIT_MANIFEST = "manifest.json"


PARTS_AT_ONCE = 4
"""Parts of 8 MiB of a large file that are sent, or wait for it, at once. With boto3's ten, an upload takes 117 MB of
memory, with four 57 MB, and no more time."""

_PIECE = 256 * 1024
"""Bytes that are read at once."""

_GONE = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "403", "AccessDenied", "Forbidden"})
"""S3 answers AccessDenied for an object that is not there to whoever may not list the bucket."""

_TOO_SHORT = frozenset({"416", "InvalidRange"})


_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
"""S3 answers a write with `If-Match` so, where the object is another one by now, or is being written by somebody."""


class FileChanged(Exception):
    """Somebody else wrote the object since it was read."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """An object as it was read; `etag` says which one it was."""

    body: bytes
    etag: str
    content_type: str


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
            from boto3.s3.transfer import TransferConfig  # most functions start without it

            few = TransferConfig(max_concurrency=PARTS_AT_ONCE)
            few.max_in_memory_upload_chunks = PARTS_AT_ONCE
            self._client.upload_fileobj(
                body, self.bucket, self.key(name), ExtraArgs={"ContentType": content_type}, Config=few
            )

    def write_json(self, name: str, document: Any) -> None:
        """Put `document` as JSON. NaN and infinity are refused with ValueError: JSON has neither."""
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        self.write(name, text.encode("utf-8", "surrogatepass"), "application/json")

    def read(self, name: str) -> bytes:
        """One object, whole. Raises as `stream` does."""
        body: bytes = self.stream(name).read()
        return body

    def read_version(self, name: str) -> FileVersion:
        """One object, whole, as `replace` needs it. Raises as `stream` does."""
        with self._finding(name):
            answer = self._client.get_object(Bucket=self.bucket, Key=self.key(name))
        return FileVersion(answer["Body"].read(), answer["ETag"], answer["ContentType"])

    def replace(self, name: str, body: bytes, read: FileVersion) -> None:
        """Put one object in the place of the one that was `read`.

        Raises:
            FileChanged: it is another one by now.
        """
        try:
            self._client.put_object(
                Bucket=self.bucket, Key=self.key(name), Body=body, ContentType=read.content_type, IfMatch=read.etag
            )
        except ClientError as error:
            if code_of(error) not in _CHANGED:
                raise
            raise FileChanged(f"{self.uri(name)} was written by somebody else") from None

    def read_json(self, name: str, most_bytes: int | None = None) -> Any:
        """One object as JSON; None where it is larger than `most_bytes`.

        Raises as `stream` does, and RunFileBroken where it is no JSON.
        """
        written: bytes = self.stream(name).read(None if most_bytes is None else most_bytes + 1)
        if most_bytes is not None and len(written) > most_bytes:
            return None
        try:
            return json.loads(written)
        except (ValueError, RecursionError) as error:
            raise self.broken(name, f"it is no JSON ({type(error).__name__})") from error

    def stream(self, name: str, start: int | None = None, end: int | None = None) -> Any:
        """One object's body to read in pieces; from byte `start` up to, not including, byte `end` where given.

        Raises:
            RunFileMissing: it is not there any more.
            RunFileBroken: it is shorter than that.
        """
        part: dict[str, Any] = {} if start is None or end is None else {"Range": f"bytes={start}-{end - 1}"}
        with self._finding(name):
            answer = self._client.get_object(Bucket=self.bucket, Key=self.key(name), **part)
        wanted = None if start is None or end is None else end - start
        if wanted is not None and answer.get("ContentLength", wanted) != wanted:
            raise self.broken(name, f"it ends before byte {end}")
        return answer["Body"]

    def lines(self, name: str, start: int | None = None, end: int | None = None) -> Iterator[bytes]:
        """Each line with its line feed, however long it is; nothing else ends a line. Raises as `stream` does.

        Not by the body's own `iter_lines`: it takes the square of a line's length, and ends a line at a carriage
        return, which JSON allows between two fields.
        """
        body, begun = self.stream(name, start, end), list[bytes]()
        while piece := body.read(_PIECE):
            first, *others = piece.split(b"\n")
            begun.append(first)
            if others:
                yield b"".join((*begun, b"\n"))
                yield from (line + b"\n" for line in others[:-1])
                begun = others[-1:]
        if last := b"".join(begun):
            yield last

    def rows(self, name: str, start: int | None = None, end: int | None = None) -> Iterator[tuple[bytes, Any]]:
        """Each line that is not blank, with its row. Raises as `stream` does, and RunFileBroken for what is no row."""
        for line in self.lines(name, start, end):
            if line.strip():
                yield line, self.row(name, line)

    def row(self, name: str, line: bytes) -> dict[str, Any]:
        """The row that a line of a dataset's file holds. Raises RunFileBroken where it holds none."""
        try:
            row = orjson.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
            raise self.broken(name, "one of its lines is not a row with `messages`")
        return row

    def hold_rows(self, name: str, got: int, expected: object) -> None:
        """Raise RunFileBroken where a dataset's file has another number of rows than were written."""
        if got == 0 or (isinstance(expected, int) and got != expected):
            raise self.broken(name, f"it has {got} rows, and {expected or 'some'} were written")

    def open_training_file(self, rows: int | None = None) -> IO[bytes]:
        """The training file as a local temporary file, read from its start; gone when it is closed.

        Raises:
            RunFileMissing: it is not there any more.
            RunFileBroken: it has not the `rows` that were written.
        """
        import tempfile

        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with self._finding(TRAIN):
                self._client.download_fileobj(self.bucket, self.key(TRAIN), file)
            file.seek(0)
            self.hold_rows(TRAIN, sum(bool(line.strip()) for line in file), rows)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def broken(self, name: str, what: str) -> RunFileBroken:
        """The error of a file that is not what was written."""
        return RunFileBroken(f"{self.uri(name)} is not what the run wrote: {what}. {self._what_to_do()}")

    @contextmanager
    def _finding(self, name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = code_of(error)
            if code in _GONE:
                raise RunFileMissing(
                    f"{self.uri(name)}, which the run wrote, is gone, or this stack may no longer read it ({code}). "
                    f"{self._what_to_do()}"
                ) from error
            if code in _TOO_SHORT:
                raise self.broken(name, "it is shorter than it was") from error
            raise

    def _what_to_do(self) -> str:
        run_id = self.prefix.rstrip("/").rpartition("/")[2]
        return (
            "Only this stack may write or delete there. Drop the files again; if the run trained a model, a recipe "
            f"with `resumes: {run_id}` trains nothing again"
        )

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        return any(found == name for found in self.names(name))

    def delete(self) -> int:
        """Delete every object of the folder; how many there were.

        Raises:
            ServiceBusy: S3 left some undeleted.
        """
        deleted = 0
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
            keys: Any = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if not keys:
                continue
            answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise ServiceBusy(f"{self.uri('')} could not be deleted: {first.get('Code')} for {first.get('Key')}")
            deleted += len(keys)
        return deleted

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names of the objects below `prefix`, in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key(prefix))
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self.prefix)
