"""CloudFormation's intrinsic functions: which resources a value needs, and what it is once they exist.

docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.deployer.errors import NotHonoured, TemplateInvalid

NO_VALUE = object()
"""What AWS::NoValue stands for: the property or the item is left out."""

_SUB_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Created:
    """A resource that exists: what Ref gives, and what GetAtt gives by attribute."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def function_of(value: Any) -> tuple[str, Any] | None:
    """The intrinsic function that a value is, and its argument; None for any other value."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, argument),) = value.items()
        # A policy's statement may have a Condition, too; that one is not a text.
        if (name in ("Ref", "Condition") and isinstance(argument, str)) or str(name).startswith("Fn::"):
            return str(name), argument
    return None


def references(value: Any) -> Iterator[str]:
    """The names that Ref, GetAtt and Sub in the value mention: resources, parameters and pseudo-parameters alike."""
    call = function_of(value)
    if call is not None:
        name, argument = call
        if name == "Ref":
            yield str(argument)
            return
        if name == "Fn::GetAtt":
            yield (argument.split(".")[0] if isinstance(argument, str) else argument[0])
            return
        if name == "Fn::Sub":
            text, variables = argument if isinstance(argument, list) else (argument, {})
            for escape, variable in _SUB_VARIABLE.findall(text):
                if not escape and variable not in variables:
                    yield variable.strip().split(".")[0]
            yield from references(variables)
            return
        yield from references(argument)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


class Resolver:
    """Evaluates intrinsic functions with what is known so far; `resources` grows as resources are created."""

    def __init__(
        self,
        *,
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, str],
        conditions: Mapping[str, Any],
    ) -> None:
        self.resources: dict[str, Created] = {}
        self._parameters = parameters
        self._pseudo = pseudo
        self._conditions = conditions
        self._deciding: list[str] = []
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": lambda name: self.condition(str(name)),
            "Fn::GetAtt": self._get_attribute,
            "Fn::Sub": self._substitute,
            "Fn::Join": lambda argument: str(self.resolve(argument[0])).join(
                _text(i) for i in self.resolve(argument[1])
            ),
            "Fn::Split": lambda argument: str(self.resolve(argument[1])).split(str(self.resolve(argument[0]))),
            "Fn::Select": self._select,
            "Fn::If": lambda argument: self.resolve(argument[1] if self.condition(argument[0]) else argument[2]),
            "Fn::Equals": lambda argument: _text(self.resolve(argument[0])) == _text(self.resolve(argument[1])),
            "Fn::Not": lambda argument: not self.resolve(argument[0]),
        }

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function evaluated. Raises TemplateInvalid or NotHonoured."""
        call = function_of(value)
        if call is not None:
            name, argument = call
            if name not in self._functions:
                raise NotHonoured(
                    f"the intrinsic function {name} is not honoured; these are: {', '.join(self._functions)}"
                )
            return self._functions[name](argument)
        if isinstance(value, Mapping):
            resolved = {name: self.resolve(inner) for name, inner in value.items()}
            return {name: inner for name, inner in resolved.items() if inner is not NO_VALUE}
        if isinstance(value, list):
            return [inner for inner in map(self.resolve, value) if inner is not NO_VALUE]
        return value

    def _select(self, argument: Any) -> Any:
        index, values = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(values):
            raise TemplateInvalid(f"Fn::Select cannot select {index}: the list has {len(values)} values")
        return values[index]

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            raise TemplateInvalid(
                f"the template has no condition {name}; it has {', '.join(self._conditions) or 'none'}"
            )
        if name in self._deciding:
            raise TemplateInvalid(f"the conditions {' → '.join([*self._deciding, name])} depend on each other")
        self._deciding.append(name)
        try:
            return bool(self.resolve(self._conditions[name]))
        finally:
            self._deciding.pop()

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        for known in (self._parameters, self._pseudo):
            if name in known:
                return known[name]
        return self._resource(name).ref

    def _get_attribute(self, argument: Any) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        attributes = self._resource(name).attributes
        if attribute not in attributes:
            known = ", ".join(sorted(attributes)) or "none"
            raise NotHonoured(f"{name}.{attribute}: the attribute is not known for this resource; these are: {known}")
        return attributes[attribute]

    def _resource(self, name: str) -> Created:
        if name not in self.resources:
            raise TemplateInvalid(f"{name} is neither a parameter nor a resource that exists (is its condition false?)")
        return self.resources[name]

    def _substitute(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def value(match: re.Match[str]) -> str:
            if match.group(1):
                return "${" + match.group(2) + "}"
            name = match.group(2).strip()
            if name in variables:
                return _text(self.resolve(variables[name]))
            return _text(self._get_attribute(name) if "." in name else self._ref(name))

        return _SUB_VARIABLE.sub(value, text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
