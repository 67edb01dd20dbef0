"""What is wrong with a recipe's fields, in sentences: the field, what it takes, what it got, and what may be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tunedrop import catalog
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
        return f"recipe field `{where}` is not known{_in_a_section(path) or _near(path)}"
    missing = error["type"] == "missing" and path in fields()
    got = "nothing" if missing else _shown(error.get("input"))
    if error["type"] == "value_error":
        told = str(error["msg"]).removeprefix("Value error, ")
        return f"recipe field `{where}`: {told}" if " got " in told else f"recipe field `{where}`: {told}, got {got}"
    schema = schema_at(path)
    if schema is None:
        told = f"recipe field `{where}`: expected fields ({', '.join(fields_of(path))}), got {got}"
        kind = nearest(error.get("input"), fields()["grader", "kind"]["enum"]) if path == ("grader",) else None
        return f"{told}; did you mean `grader: {{kind: {kind}}}`?" if kind else told
    told = f"recipe field `{where}`: expected {allowed(schema)}, got {got}"
    near = nearest(error.get("input"), schema.get("enum", ()))
    return f"{told}; did you mean `{near}`?" if near else f"{told}{_way(error.get('input'), schema)}"


def _way(value: object, schema: Mapping[str, Any]) -> str:
    """What to do about a value that is right but for its quotes or its brackets."""
    kind = schema.get("type")
    if kind == "string" and isinstance(value, bool | int | float) and not {"enum", "description"} & schema.keys():
        return "; put it in quotes"
    if kind == "array" and isinstance(value, str) and "items" in schema:
        return f"; write a list, as [{_shown(value)[1:-1]}]"
    return ""


def meant(name: str, known: Iterable[str]) -> str:
    """What a name that is not known may mean, to follow it: the nearest that is, or else all that are."""
    names = list(known)
    if near := nearest(name, names):
        return f"; did you mean `{near}`?"
    return f"; known are {', '.join(names)}" if names else ""


_NEAR_AT_THE_TOP = 0.65
"""How like a name at the top level must be to the one that it may mean: other names stand there, too, such as notes."""


def _near(path: tuple[str, ...]) -> str:
    """What a name may mean in its own section."""
    known, name = fields_of(path[:-1]), path[-1].strip()
    if len(path) > 1 or nearest(name, known, _NEAR_AT_THE_TOP):
        return meant(name, known)
    begun = [each for each in known if len(name) > 2 and each.startswith(name.casefold())]
    return f"; did you mean `{begun[0]}`?" if begun else f"; known are {', '.join(known)}"


def _in_a_section(path: tuple[str, ...]) -> str:
    """The sections to which a field at the top level belongs, where there are some."""
    if len(path) != 1 or path[0] in fields_of(()):
        return ""
    name = path[0].strip()
    if tuple(name.split(".")) in fields():
        section, _, inner = name.partition(".")
        return f"; write it within its section, as `{section}: {{{inner}: …}}`"
    sections = [section for section in fields_of(()) if name in fields_of((section,))]
    if any(name in model.hyperparameters for model in catalog.models()):
        sections.append("hyperparameters")
    return f"; did you mean {' or '.join(f'`{section}.{name}`' for section in sections)}?" if sections else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_GOT else f"{text[: _LONGEST_GOT - 3]}..."
