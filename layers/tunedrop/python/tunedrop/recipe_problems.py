"""What is wrong with a recipe's fields, in sentences: the field, what it takes, what it got, and what may be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tunedrop.nearest import nearest
from tunedrop.recipe_fields import allowed, fields, fields_of, schema_at
from tunedrop.recipe_text import place

_LONGEST_GOT = 80
"""Characters of a wrong value that a sentence repeats."""


def sentence(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors, as a sentence without a full stop."""
    path = tuple(str(part) for part in error["loc"])
    if path[0] == "hyperparameters":
        path = path[:2]  # behind it stands which of its types a value is not
    where = place(path)
    if error["type"] == "extra_forbidden":
        return f"recipe field `{where}` is not known{_in_a_section(path) or meant(path[-1], fields_of(path[:-1]))}"
    missing = error["type"] == "missing" and path in fields()
    got = "nothing" if missing else _shown(error.get("input"))
    if error["type"] == "value_error":
        return f"recipe field `{where}`: {error['msg'].removeprefix('Value error, ')}, got {got}"
    schema = schema_at(path)
    if schema is None:
        return f"recipe field `{where}`: expected fields ({', '.join(fields_of(path))}), got {got}"
    told = f"recipe field `{where}`: expected {allowed(schema)}, got {got}"
    near = nearest(error.get("input"), schema.get("enum", ()))
    return f"{told}; did you mean `{near}`?" if near else told


def meant(name: str, known: Iterable[str]) -> str:
    """What a name that is not known may mean, to follow it: the nearest that is, or else all that are."""
    names = list(known)
    if near := nearest(name, names):
        return f"; did you mean `{near}`?"
    return f"; known are {', '.join(names)}" if names else ""


def _in_a_section(path: tuple[str, ...]) -> str:
    """The section to which a field at the top level belongs, if exactly one section has a field of this name."""
    if len(path) != 1:
        return ""
    sections = [name for name in fields_of(()) if path[0] in fields_of((name,))]
    return f"; did you mean `{sections[0]}.{path[0]}`?" if len(sections) == 1 else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_GOT else f"{text[: _LONGEST_GOT - 3]}..."
