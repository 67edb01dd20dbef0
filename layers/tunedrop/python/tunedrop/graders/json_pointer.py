"""JSON Pointers (RFC 6901): the names of an answer's fields."""

from __future__ import annotations


def keys_of(pointer: str) -> tuple[str, ...]:
    """A JSON Pointer (RFC 6901) as keys; the leading slash may be left out."""
    if not pointer:
        return ()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("/").split("/"))


def pointer_to(path: tuple[str, ...]) -> str:
    """The pointer to a field, with keys of 80 characters at most, for a reader."""
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}"[:80] for key in path) or "the whole document"
