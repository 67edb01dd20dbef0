"""What the local Bedrock remembers: JSON documents in one SQLite file, so that a killed process leaves nothing half."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL,
    body BLOB NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS by_parent ON documents (kind, parent, seq);
CREATE TABLE IF NOT EXISTS contents (id TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS known_rows (key TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and whether more follow."""

    documents: list[Document]
    has_more: bool


class Records:
    """Documents by kind and id, in the order of their creation; contents of files; the rows whose answers are known.

    Used by one thread. Writes outlive the process, not a crash of the machine.
    """

    def __init__(self, path: Path | None) -> None:
        self._connection = sqlite3.connect(path if path is not None else ":memory:", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; the records cannot be used afterwards."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is written inside is kept, or none of it."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def put(self, kind: str, name: str, body: Document, *, parent: str = "") -> None:
        """Create a document, or replace its body; a replaced one keeps its place in the order."""
        self._connection.execute(
            "INSERT INTO documents (kind, id, parent, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, name, parent, orjson.dumps(body)),
        )

    def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        found = self._connection.execute(
            "SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, name)
        ).fetchone()
        return None if found is None else self._read(found[0])

    def delete(self, kind: str, name: str) -> bool:
        """Delete the document; False where there was none."""
        return self._connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, name)).rowcount > 0

    def all(self, kind: str, *, parent: str = "") -> list[Document]:
        """Every document of a kind and parent, oldest first."""
        rows = self._connection.execute(
            "SELECT body FROM documents WHERE kind = ? AND parent = ? ORDER BY seq", (kind, parent)
        )
        return [self._read(body) for (body,) in rows]

    def page(self, kind: str, *, parent: str, limit: int, after: str | None, newest_first: bool) -> Page | None:
        """At most `limit` documents that follow the one named `after`; None where there is no such document."""
        reached = 0
        if after is not None:
            found = self._connection.execute(
                "SELECT seq FROM documents WHERE kind = ? AND id = ? AND parent = ?", (kind, after, parent)
            ).fetchone()
            if found is None:
                return None
            reached = found[0]
        side, order = ("<", "DESC") if newest_first else (">", "ASC")
        beyond = f"AND seq {side} {reached}" if after is not None else ""
        rows = self._connection.execute(
            f"SELECT body FROM documents WHERE kind = ? AND parent = ? {beyond} ORDER BY seq {order} LIMIT ?",  # noqa: S608 - made of literals and a whole number
            (kind, parent, limit + 1),
        ).fetchall()
        return Page([self._read(body) for (body,) in rows[:limit]], len(rows) > limit)

    def put_content(self, name: str, content: bytes) -> None:
        """Keep the bytes of a file."""
        self._connection.execute("INSERT OR REPLACE INTO contents (id, content) VALUES (?, ?)", (name, content))

    def content(self, name: str) -> bytes | None:
        """The bytes of a file, or None."""
        found = self._connection.execute("SELECT content FROM contents WHERE id = ?", (name,)).fetchone()
        return None if found is None else bytes(found[0])

    def put_rows(self, rows: Iterable[tuple[str, Document]]) -> None:
        """Keep rows, each by the key of its prompt, of two with one key the later; one that is kept costs no write."""
        with self.together():
            self._connection.executemany(
                "INSERT INTO known_rows (key, body) VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET body = excluded.body WHERE body != excluded.body",
                ((key, orjson.dumps(row)) for key, row in rows),
            )

    def row(self, key: str) -> Document | None:
        """The row of a prompt's key, or None."""
        found = self._connection.execute("SELECT body FROM known_rows WHERE key = ?", (key,)).fetchone()
        return None if found is None else self._read(found[0])

    def rows(self) -> Iterator[Document]:
        """Every row that was kept."""
        return (self._read(body) for (body,) in self._connection.execute("SELECT body FROM known_rows"))

    def row_count(self) -> int:
        """How many rows are kept."""
        counted: int = self._connection.execute("SELECT COUNT(*) FROM known_rows").fetchone()[0]
        return counted

    def forget(self) -> None:
        """Forget everything."""
        with self.together():
            for table in ("documents", "contents", "known_rows"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - one of three literals

    @staticmethod
    def _read(body: bytes) -> Document:
        document: Document = orjson.loads(body)
        return document
