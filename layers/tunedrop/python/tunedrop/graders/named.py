"""What a grader's options name in the references: fields, labels. A name that no reference has is most likely wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from tunedrop.graders.json_pointer import pointer_to
from tunedrop.graders.sample import JSON

_MOST_TOLD = 500
"""Names of one reference that are told."""


class Named(NamedTuple):
    """One name, and whether a reference has it."""

    option: str
    """Where the options say it, as `fields`."""
    name: str
    found: bool
    in_each: bool
    """Whether most references have it if it is right: a field is in each, a label is not."""


@runtime_checkable
class NamingGrader(Protocol):
    """A grader whose options name parts of the references."""

    def named(self, reference: JSON, row: Mapping[str, JSON]) -> Sequence[Named]:
        """What the options name; none where the row names a grader of its own or the reference cannot be read."""
        ...

    def names(self, reference: JSON) -> Iterable[str]:
        """What could be named in this reference."""
        ...


def named_fields(
    paths: Iterable[tuple[str, ...]], documents: Sequence[JSON], accepted: Iterable[tuple[str, ...]]
) -> list[Named]:
    """The fields that pointers name, in any of the documents or among those that the row accepts."""
    besides = set(accepted)
    return [
        Named("fields", pointer_to(path), path in besides or any(_has(each, path) for each in documents), True)
        for path in paths
    ]


def pointers(document: JSON, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The pointers to a document's fields, at most so many as are told."""
    waiting = [(path, document)]
    for _ in range(_MOST_TOLD):
        if not waiting:
            return
        path, value = waiting.pop()
        if path:
            yield pointer_to(path)
        if isinstance(value, Mapping):
            waiting += [((*path, key), inner) for key, inner in value.items()]


def _has(document: JSON, path: Sequence[str]) -> bool:
    if not path:
        return True
    if not isinstance(document, Mapping):
        return False
    if path[0] == "*":
        return any(_has(inner, path[1:]) for inner in document.values())
    return path[0] in document and _has(document[path[0]], path[1:])
