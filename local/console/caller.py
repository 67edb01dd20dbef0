"""Calls of the API in the name of whoever started the console."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from tunedrop_client.connection import Connection
from tunedrop_client.errors import NoSuchPlace, Problem
from tunedrop_client.places import Place

TRIES = 3
"""The page asks again by itself; a person who waits for an answer wants to know soon that there is none."""


class Caller:
    """`find` looks up the API and the credentials. It is asked again when they are refused: after a new login the
    console goes on as it is."""

    def __init__(self, find: Callable[[], Place]) -> None:
        self._find = find
        self.place = find()
        self._mine = threading.local()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> Any:
        """The document that the API answers, as `Connection.ask`. Raises Problem, Unreachable, NoSuchPlace."""

        def once() -> Any:
            return self._connection().ask(method, path, query=query, body=body, headers=headers, repeat=repeat)

        try:
            return once()
        except Problem as error:
            if error.kind != "not-authorized":
                raise
        except NoSuchPlace:
            pass
        # Refused before anything was done; so it may be asked again whatever it is.
        self.place = self._find()
        return once()

    def _connection(self) -> Connection:
        """This thread's own connection to the place as it is now."""
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None or connection.place is not self.place:
            connection = self._mine.connection = Connection(self.place, tries=TRIES)
        return connection
