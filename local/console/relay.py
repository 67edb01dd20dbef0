"""Which requests the console passes on: those of the documented API, by its own table of routes, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunedrop.api.routes import ROUTES

_IDS: Mapping[str, str] = {"{run_id}": "[a-z0-9][a-z0-9-]{0,46}", "{validation_id}": "[0-9a-f]{32}"}
_ROUTES = [
    (re.compile(re.sub(r"\{\w+\}", lambda found: _IDS[found[0]], resource)), methods)
    for resource, methods in ROUTES.items()
]
MOST_QUERY_CHARACTERS = 500

NOT_TWICE = ("/approve", "/reject", "/rollback")
"""Decisions that are not sent again if an answer is lost."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for the API. `repeat`: it may reach the API twice."""

    method: str
    path: str
    query: Mapping[str, str]
    repeat: bool


def asked(method: str, path: str, query: Iterable[tuple[str, str]]) -> Asked | None:
    """The request for the API; None where the API has no such route, method or parameter."""
    for route, methods in _ROUTES:
        if route.fullmatch(path) and method in methods:
            given = list(query)
            known = all(name in methods[method] and len(value) <= MOST_QUERY_CHARACTERS for name, value in given)
            if not known or len(dict(given)) != len(given):
                return None
            return Asked(method, path, dict(given), repeat=not path.endswith(NOT_TWICE))
    return None
