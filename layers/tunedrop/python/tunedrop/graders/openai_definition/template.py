"""The `{{ namespace.variable }}` templates of OpenAI's grader definitions; namespaces are `item` and `sample`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tunedrop.graders.sample import JSON

_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
_STEP = re.compile(r"\.?([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\[[\"']([^\"'\]]+)[\"']\]")
NAMESPACES = ("item", "sample")
_SHOWN = 6
"""Names of fields in a message."""


class TemplateError(ValueError):
    """A template names a variable that cannot be, or that the row does not have."""


class NotInAnswer(LookupError):
    """A template names a part of the answer that this answer does not have: the model's fault, so it scores 0."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One `{{ … }}`: its namespace and the way down from there."""

    namespace: str
    path: tuple[str | int, ...]
    text: str


def variables(template: str) -> list[Variable]:
    """The variables of a template, in order. Raises TemplateError for one that OpenAI does not know either."""
    return [_variable(found[1].strip()) for found in _VARIABLE.finditer(template)]


def _variable(text: str) -> Variable:
    path: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if not step:
            raise TemplateError(f"cannot read the variable {text!r}; expected item.… or sample.…")
        name, index, key = step.groups()
        path.append(int(index) if index is not None else name or key)
        position = step.end()
    if len(path) < 2 or path[0] not in NAMESPACES:
        raise TemplateError(f"cannot read the variable {text!r}; expected item.… or sample.…")
    return Variable(str(path[0]), tuple(path[1:]), text)


def fill(template: str, names: Mapping[str, Mapping[str, JSON]]) -> str:
    """The template with each variable replaced: a text as it is, anything else as JSON.

    What is put in is not read again, so a value with braces in it names no variable. Raises TemplateError for a
    variable that the item lacks, NotInAnswer for one that the sample lacks.
    """

    def value(found: re.Match[str]) -> str:
        variable = _variable(found[1].strip())
        got = look_up(variable, names)
        return got if isinstance(got, str) else json.dumps(got, ensure_ascii=False)

    return _VARIABLE.sub(value, template)


def look_up(variable: Variable, names: Mapping[str, Mapping[str, JSON]]) -> JSON:
    """The value of a variable; raises as `fill` does."""
    value: JSON = names[variable.namespace]
    for step in variable.path:
        if isinstance(value, Mapping) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif variable.namespace == "sample":
            raise NotInAnswer(f"the answer has no {variable.text}")
        else:
            raise TemplateError(f"the row has no {variable.text}{_nearest(step, value)}")
    return value


def _nearest(step: str | int, value: JSON) -> str:
    """The field that may be meant, or those that there are."""
    names = list(value)[:200] if isinstance(value, Mapping) else []
    if not names:
        return ""
    near = get_close_matches(str(step), names, n=1)
    return f"; do you mean `{near[0]}`?" if near else f"; it has {', '.join(f'`{name}`' for name in names[:_SHOWN])}"
