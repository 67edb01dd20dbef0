"""What the documents say about the recipe's fields: the values that each takes, and its default."""

from __future__ import annotations

import json
from typing import Any

from tunedrop.recipe_fields import allowed, fields


def table() -> str:
    """Every field with its values and its default, as the recipe's model has them."""
    lines = ["| field | values | default |", "|---|---|---|"]
    for path, schema in fields().items():
        values = allowed(schema)
        lines.append(f"| `{'.'.join(path)}` | {values[0].upper()}{values[1:]} | {_default(schema)} |")
    return "\n".join(lines)


def _default(schema: Any) -> str:
    if "default" not in schema:
        return "`{}`" if schema.get("type") == "object" else "none"
    return f"`{json.dumps(schema['default'])}`"
