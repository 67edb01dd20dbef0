"""Every field of a recipe, and the values that it takes, in words: both come from the recipe's own model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tunedrop.recipe import Recipe

Schema = Mapping[str, Any]
Path = tuple[str, ...]


@cache
def fields() -> Mapping[Path, Schema]:
    """The JSON Schema of each field by its path, in the recipe's order; a section is told by its fields."""
    whole = Recipe.model_json_schema()
    return dict(_leaves(whole, whole["$defs"], ()))


def fields_of(section: Path) -> list[str]:
    """The names in a section, of fields and of sections; none where there is no such section."""
    return list(dict.fromkeys(path[len(section)] for path in fields() if path[: len(section)] == section != path))


def schema_at(path: Path) -> Schema | None:
    """The schema of what stands at a path: a field, or a value in its list or by its name; None for a section."""
    for length in range(len(path), 0, -1):
        if found := fields().get(path[:length]):
            by_name = next(iter(found.get("patternProperties", {}).values()), None)
            inner = found.get("items", by_name or found.get("additionalProperties"))
            return inner if length < len(path) and isinstance(inner, Mapping) else found
    return None


def allowed(schema: Schema) -> str:
    """The values that a field takes, as what follows "expected"."""
    if "description" in schema:
        return str(schema["description"])
    if "anyOf" in schema:
        return "; or ".join(allowed(each) for each in schema["anyOf"])
    if "enum" in schema:
        return f"one of {', '.join(each or repr('') for each in schema['enum'])}"
    words = {"boolean": "true or false", "null": "null", "integer": "a whole number", "number": "a number"}
    kind = schema.get("type", "")
    if kind == "array":
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"a list{most}, each {allowed(schema['items'])}"
    if kind == "string" and "maxLength" in schema:
        return f"text of {schema.get('minLength', 0)} to {schema['maxLength']} characters on one line"
    return _bounded(words.get(kind, "text"), schema)


def _bounded(kind: str, schema: Schema) -> str:
    bounds = {
        "at least": schema.get("minimum"),
        "more than": schema.get("exclusiveMinimum"),
        "at most": schema.get("maximum"),
        "less than": schema.get("exclusiveMaximum"),
    }
    least, most = bounds["at least"], bounds["at most"]
    if least is not None and most is not None:
        return f"{kind} from {_plain(least)} to {_plain(most)}"
    told = [f"{words} {_plain(bound)}" for words, bound in bounds.items() if bound is not None]
    return f"{kind}, {' and '.join(told)}" if told else kind


def _plain(bound: float) -> str:
    return f"{bound:f}".rstrip("0").rstrip(".")


def _leaves(schema: Schema, sections: Mapping[str, Schema], path: Path) -> Iterator[tuple[Path, Schema]]:
    for name, found in schema["properties"].items():
        named = next((each["$ref"] for each in (found, *found.get("anyOf", ())) if "$ref" in each), None)
        if named is None:
            yield (*path, name), found
        else:
            yield from _leaves(sections[named.rpartition("/")[2]], sections, (*path, name))
