"""What a target gets of an event: the whole, a constant, a part by path, or a template filled from paths.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([A-Za-z0-9_\-]+)|\['([^']+)'\]|\[(\d+)\]")
_PLACEHOLDER = re.compile(r'"?<([A-Za-z0-9_.\-]+)>"?')
_MISSING = object()


class TargetInputInvalid(Exception):
    """The target's input, path or template cannot be used."""


def input_for(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    """The JSON text that the target gets. `rule` holds the rule's `name` and `arn` for EventBridge's own variables.

    Raises TargetInputInvalid.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        value = at_path(target["InputPath"], event)
        if value is _MISSING:
            raise TargetInputInvalid(f"InputPath {target['InputPath']} is not in the event")
        return json.dumps(value)
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule)
    return json.dumps(event)


def at_path(path: str, event: Any) -> Any:
    """The value at a path like `$.detail.object.key`. Raises TargetInputInvalid for a path of another form."""
    if not path.startswith("$"):
        raise TargetInputInvalid(f"a path begins with $, got {path!r}")
    value, position = event, 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise TargetInputInvalid(f"cannot read the path {path!r} from {path[position:]!r} on")
        name, quoted, index = step.groups()
        if index is not None:
            inside = isinstance(value, list) and int(index) < len(value)
            value = value[int(index)] if inside else _MISSING
        else:
            value = value.get(name or quoted, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is _MISSING:
            return _MISSING
        position = step.end()
    return value


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule["arn"],
        "aws.events.rule-name": rule["name"],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": event,
        "aws.events.event.json": event,
    }
    for name, path in transformer.get("InputPathsMap", {}).items():
        values[name] = at_path(path, event)

    def fill(match: re.Match[str]) -> str:
        """A variable alone between quotes, or without any, stands for its JSON; inside a text for its characters."""
        name = match.group(1)
        if name not in values:
            return match.group(0)
        value = values[name]
        before, after = match.group(0).startswith('"'), match.group(0).endswith('"')
        if before == after:
            return "null" if value is _MISSING else json.dumps(value)
        inner = "" if value is _MISSING else value if isinstance(value, str) else json.dumps(value)
        escaped = json.dumps(inner)[1:-1]
        return ('"' if before else "") + escaped + ('"' if after else "")

    text = _PLACEHOLDER.sub(fill, _inside_texts(transformer["InputTemplate"], values))
    try:
        json.loads(text)
    except ValueError as error:
        raise TargetInputInvalid(f"the input template does not give JSON: {error}: {text}") from error
    return text


def _inside_texts(template: str, values: Mapping[str, Any]) -> str:
    """Fills the variables that stand among other characters of a JSON text, where quotes would be wrong."""

    def in_text(text: re.Match[str]) -> str:
        content = text.group(1)
        if re.fullmatch(r"<[A-Za-z0-9_.\-]+>", content):
            return text.group(0)

        def fill(variable: re.Match[str]) -> str:
            name = variable.group(1)
            if name not in values:
                return variable.group(0)
            value = values[name]
            plain = "" if value is _MISSING else value if isinstance(value, str) else json.dumps(value)
            return json.dumps(plain)[1:-1]

        return '"' + re.sub(r"<([A-Za-z0-9_.\-]+)>", fill, content) + '"'

    return re.sub(r'"((?:[^"\\]|\\.)*)"', in_text, template)
