"""Responses that are kept, so that a later one can go on from them. Bounded: the oldest make room for the newest."""

from __future__ import annotations

import orjson

from local.bedrock.errors import ApiError
from local.bedrock.records import Document, Records

_KIND = "response"
_MOST = 1000
_MOST_BYTES = 64 * 2**20


class ResponseStore:
    """Keeps responses with the items that each was asked with."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._sizes = {kept["response"]["id"]: len(orjson.dumps(kept)) for kept in records.all(_KIND)}

    def put(self, response: Document, items: list[Document]) -> None:
        """Keep a response; those before it that no longer have room are forgotten."""
        kept = {"response": response, "items": items}
        name = response["id"]
        self._records.put(_KIND, name, kept)
        self._sizes[name] = len(orjson.dumps(kept))
        while len(self._sizes) > 1 and (len(self._sizes) > _MOST or sum(self._sizes.values()) > _MOST_BYTES):
            self.delete(next(iter(self._sizes)))

    def get(self, name: str) -> Document | None:
        """A response, or None."""
        kept = self._records.get(_KIND, name)
        return None if kept is None else kept["response"]

    def delete(self, name: str) -> bool:
        """Forget a response; False where there is none of this id."""
        self._sizes.pop(name, None)
        return self._records.delete(_KIND, name)

    def asked_with(self, name: str) -> list[Document]:
        """Every item that a response was asked with: those of the responses before it, their output, and its own.

        Raises ApiError (400) where one of them is no longer there.
        """
        turns: list[list[Document]] = []
        reached: str | None = name
        while reached is not None:
            kept = self._records.get(_KIND, reached)
            if kept is None:
                message = f"Previous response with id '{reached[:100]}' not found."
                raise ApiError(400, "previous_response_not_found", message, param="previous_response_id")
            output = [] if reached == name else kept["response"]["output"]
            turns.append([*kept["items"], *output])
            reached = kept["response"]["previous_response_id"]
        return [item for turn in reversed(turns) for item in turn]

    def conversation(self, name: str) -> list[Document]:
        """Every item up to a response's own output. Raises ApiError as `asked_with`."""
        asked = self.asked_with(name)
        response = self.get(name)
        return [*asked, *(response["output"] if response else [])]

    def item(self, name: str) -> Document | None:
        """An item that was sent or answered, by its id; None where none is kept."""
        for kept in reversed(self._records.all(_KIND)):
            for item in (*kept["items"], *kept["response"]["output"]):
                if item["id"] == name:
                    found: Document = item
                    return found
        return None
