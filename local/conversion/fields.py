"""Fields of a row by name: `label`, `reward_model.ground_truth` for one within another, `answers.0` for one of an
array."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

from local.conversion.fault import ConversionError, FieldMissingError
from tunedrop.dataset.show import shown

_SHOWN_FIELDS = 8
_PLACE = re.compile(r"\[(\d+)\]")
"""A place in an array, counted from 0, as in `answers[0].text`; `answers.0.text` is the same."""
_PRINTED = ("{'", "[{'", "['", "array(")


def find(row: Mapping[str, Any], name: str) -> Any:
    """The value of a field; the name of a field comes before a path. Raises ConversionError: there is none."""
    value, _ = take(row, name)
    return value


def take(row: Mapping[str, Any], name: str) -> tuple[Any, dict[str, Any]]:
    """A field's value, and the row without it; an object that only held this field goes with it.

    Raises ConversionError, with the fields that there are, where there is no such field.
    """
    if name in row:
        return row[name], {key: value for key, value in row.items() if key != name}
    head, dot, rest = _PLACE.sub(r".\1", name).partition(".")
    inner = parsed(row.get(head))
    if dot and isinstance(inner, list):
        inner = {str(place): each for place, each in enumerate(inner)}
    if dot and isinstance(inner, Mapping):
        try:
            value, left = take(inner, rest)
        except ConversionError as error:
            raise ConversionError(f"`{head}`: {error}") from None
        return value, {key: (left if key == head else each) for key, each in row.items() if key != head or left}
    if dot and isinstance(inner, str) and inner.lstrip().startswith(_PRINTED):
        raise FieldMissingError(
            f"expected the field {name!r}, but `{head}` is a printed Python object, {shown(inner)}; write the column "
            "with json.dumps, or the rows as JSON Lines or Parquet"
        )
    known = ", ".join(shown(key) for key in list(row)[:_SHOWN_FIELDS])
    near = difflib.get_close_matches(name, [key for key in row if isinstance(key, str)][:200], n=1)
    meant = f"; do you mean {shown(near[0])}?" if near else ""
    raise FieldMissingError(f"expected the field {name!r}, got a row with {known or 'no fields'}{meant}")


def refuse_infinite(value: Any, path: str = "") -> None:
    """Raise ConversionError, with the field, for a number such as 1e400, which a double cannot hold."""
    if isinstance(value, float) and math.isinf(value):
        raise ConversionError(f"`{path}`: the number is too large (at most 1.8e308); write it as text")
    if isinstance(value, Mapping):
        for key, each in value.items():
            refuse_infinite(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            refuse_infinite(each, f"{path}[{place}]")


def parsed(value: Any) -> Any:
    """An object or array that a table holds as JSON text; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            read = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return read if isinstance(read, (dict, list)) else value
    return value


def text_of(row: Mapping[str, Any], name: str) -> str:
    """A field as text: what is no text as its JSON."""
    value = find(row, name)
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def is_blank(value: Any) -> bool:
    """Whether a value says nothing: null, blank text, or an empty array or object."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})
