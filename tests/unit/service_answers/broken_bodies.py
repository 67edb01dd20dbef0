"""Every way in which an answer can be broken, made from a whole one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
OTHERS: tuple[Any, ...] = (None, 10**400, True, "", "x", [], [None], {"x": None})


def broken(whole: Any) -> Iterator[tuple[str, bytes]]:
    """What is wrong, and the body: each member missing, null and of another type; half a body, a page, nothing."""
    text = json.dumps(whole).encode()
    yield "whole", text
    yield "empty", b""
    yield "a page", HTML
    yield "not UTF-8", text[:5] + b"\xff\xfe" + text[5:]
    yield "nested", b'{"data":' + b"[" * 20_000
    for share in (0.1, 0.9):
        yield f"cut at {share:.0%}", text[: int(len(text) * share)]
    for other in OTHERS:
        yield f"{other!r:.20} instead of all", json.dumps(other).encode()
    for place in _places(whole):
        for change in ("missing", *OTHERS):
            changed = copy.deepcopy(whole)
            holder = changed
            for step in place[:-1]:
                holder = holder[step]
            if change == "missing":
                del holder[place[-1]]
            else:
                holder[place[-1]] = change
            yield f"{change!r:.20} at {'.'.join(map(str, place))}", json.dumps(changed).encode()


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield (*before, step)
        yield from _places(each, (*before, step))
