"""Holds a report to the published schema, which must name every member that a report has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = json.loads((Path(__file__).parents[1] / "events/schemas/report.schema.json").read_text())


def _closed(schema: Any) -> Any:
    """The schema with no room for members that it does not name. Published, it has that room: fields may be added."""
    if isinstance(schema, Mapping):
        closed = {name: _closed(each) for name, each in schema.items()}
        return {"additionalProperties": False, **closed} if _names_members(schema) else closed
    return [_closed(each) for each in schema] if isinstance(schema, list) else schema


def _names_members(schema: Mapping[str, Any]) -> bool:
    return isinstance(schema.get("properties"), Mapping) and "object" in schema.get("type", ())


_CLOSED = Draft202012Validator(_closed(SCHEMA))


def problems(report: Mapping[str, Any]) -> list[str]:
    """What the schema forbids in the report or does not name, each with its place; empty where there is nothing."""
    return [f"{_leaf(each).json_path}: {_leaf(each).message[:300]}" for each in _CLOSED.iter_errors(report)]


def _leaf(error: Any) -> Any:
    """Of an `anyOf` that nothing satisfies: what is wrong in the branch that came the farthest."""
    while error.context:
        error = max(error.context, key=lambda each: (len(each.absolute_path), each.validator != "type"))
    return error
