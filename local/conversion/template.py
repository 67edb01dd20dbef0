"""A prompt with `{field}` in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.conversion.fault import ConversionError, FieldMissingError
from local.conversion.fields import text_of

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_DOUBLED = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
"""A field as Jinja and Mustache have it."""


class Template:
    """Text with `{field}` for a field of the row (`{a.b}`: a nested one) and `{{`, `}}` for braces.

    Raises ConversionError where braces are alone or empty, or no field is named.
    """

    def __init__(self, text: str) -> None:
        self._parts: list[str | tuple[str]] = []
        done = 0
        for match in _PLACEHOLDER.finditer(text):
            self._parts.append(text[done : match.start()])
            done = match.end()
            if match[0] in ("{{", "}}"):
                self._parts.append(match[0][0])
            elif match[1]:
                self._parts.append((match[1],))
            else:
                raise ConversionError(
                    f"the prompt template has {match[0]!r} at character {match.start() + 1}: expected {{field}}, "
                    "and {{ or }} for a brace"
                )
        self._parts.append(text[done:])
        self.fields = tuple(part[0] for part in self._parts if isinstance(part, tuple))
        if not self.fields:
            doubled = _DOUBLED.search(text)
            way = f"write {{{doubled[1]}}}, with one brace" if doubled else "name one, as in 'Sort this: {text}'"
            raise ConversionError(f"the prompt template names no field, so that all prompts would be the same; {way}")

    def fill(self, row: Mapping[str, Any]) -> str:
        """The prompt of a row. Raises ConversionError where the row lacks a field."""
        try:
            return "".join(part if isinstance(part, str) else text_of(row, part[0]) for part in self._parts)
        except FieldMissingError as error:
            if any('"' in name or ":" in name for name in self.fields):
                raise ConversionError(f"{error}; write the braces of the prompt's text as {{{{ and }}}}") from None
            raise
