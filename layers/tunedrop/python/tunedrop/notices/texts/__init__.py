"""A notice's texts for people, by protocol: one module for each protocol, named as SNS names it.

A module here has `text_of(document)`. Every protocol without a module (SQS, Lambda, HTTPS) gets the JSON document.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Protocol, cast


class Text(Protocol):
    """What a module of this package must have."""

    def text_of(self, document: Mapping[str, Any], /) -> str:
        """The text of a notice, made from its document alone."""


_MODULES: Mapping[str, Text] = {
    found.name.replace("_", "-"): cast("Text", importlib.import_module(f"{__name__}.{found.name}"))
    for found in pkgutil.iter_modules(__path__)
}


def by_protocol(document: Mapping[str, Any]) -> dict[str, str]:
    """The text of a notice for each protocol that has one of its own."""
    return {protocol: module.text_of(document) for protocol, module in _MODULES.items()}
