"""The rows whose reference answers the simulated model knows, found again by the messages of a prompt."""

from __future__ import annotations

import io
from collections.abc import Iterator

import orjson

from local.bedrock.prompts import prompt_key
from local.bedrock.records import Document, Records
from local.bedrock.rendering import labels_of

_MOST_LABELS = 64  # more different short references than this are no closed set of labels


class RowBook:
    """Every row that the process was ever given: by the Files API, from S3, or taught."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._labels: dict[str, None] = {}
        for row in records.rows():
            self._note_labels(row)

    def __len__(self) -> int:
        return self._records.row_count()

    @property
    def labels(self) -> list[str]:
        """The labels among the references, in the order of their coming; empty where they are too many for a set."""
        return list(self._labels) if len(self._labels) <= _MOST_LABELS else []

    def teach(self, jsonl: bytes) -> tuple[int, int]:
        """Learn the rows of a JSONL text: (rows learnt, lines passed over since they are no rows with a reference)."""
        learnt: set[str] = set()
        passed_over = 0

        def rows() -> Iterator[tuple[str, Document]]:
            nonlocal passed_over
            for row in read_rows(jsonl):
                if row is None or row.get("reference_answer") is None:
                    passed_over += 1
                else:
                    key = prompt_key(row["messages"])
                    learnt.add(key)
                    self._note_labels(row)
                    yield key, row

        self._records.put_rows(rows())
        return len(learnt), passed_over

    def find(self, key: str) -> Document | None:
        """The row of a prompt's key, or None for a prompt that was never given."""
        return self._records.row(key)

    def _note_labels(self, row: Document) -> None:
        if len(self._labels) <= _MOST_LABELS:
            self._labels.update(dict.fromkeys(labels_of(row)))


def read_rows(jsonl: bytes) -> Iterator[Document | None]:
    """Each line that is not blank: the row, or None where it is no JSON object with messages."""
    for line in io.BytesIO(jsonl.removeprefix(b"\xef\xbb\xbf")):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield None
            continue
        is_row = isinstance(row, dict) and isinstance(row.get("messages"), list) and row["messages"]
        yield row if is_row and all(isinstance(message, dict) for message in row["messages"]) else None
