"""A template's parameters: defaults, and the constraints that CloudFormation checks before it creates anything.

docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from embedded_aws.deployer.errors import NotHonoured, ParameterInvalid

_TEXT = "String"
_NUMBER = "Number"
_LISTS = {"CommaDelimitedList", "List<Number>"}


def resolved(declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every parameter: a text, or a list of texts for a list type.

    Raises ParameterInvalid, which names the parameter, the constraint and the value; NotHonoured for a type that needs
    AWS.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ParameterInvalid(
            f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(declared))}"
        )
    values = {}
    for name, declaration in declared.items():
        if name not in given and "Default" not in declaration:
            raise ParameterInvalid(f"parameter {name} has no default: give it a value")
        values[name] = _checked(name, declaration, given.get(name, declaration.get("Default")))
    return values


def _checked(name: str, declaration: Mapping[str, Any], value: Any) -> str | list[str]:
    kind = declaration.get("Type", _TEXT)
    if kind in _LISTS:
        items = (
            [item.strip() for item in value.split(",")] if isinstance(value, str) else [_text(item) for item in value]
        )
        for item in items:
            _check_text(name, declaration, item, _NUMBER if kind == "List<Number>" else _TEXT)
        return items
    if kind not in (_TEXT, _NUMBER):
        raise NotHonoured(f"parameter {name}: type {kind} is looked up in AWS, which is not there on one machine")
    text = _text(value)
    _check_text(name, declaration, text, kind)
    return text


def _check_text(name: str, declaration: Mapping[str, Any], text: str, kind: str) -> None:
    def fail(expected: str) -> ParameterInvalid:
        hint = declaration.get("ConstraintDescription")
        return ParameterInvalid(f"parameter {name}: expected {expected}, got {text!r}" + (f". {hint}" if hint else ""))

    if kind == _NUMBER:
        try:
            number = float(text)
        except ValueError:
            raise fail("a number") from None
        if "MinValue" in declaration and number < float(declaration["MinValue"]):
            raise fail(f"at least {declaration['MinValue']}")
        if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
            raise fail(f"at most {declaration['MaxValue']}")
    if "AllowedValues" in declaration:
        allowed = [_text(value) for value in declaration["AllowedValues"]]
        if text not in allowed:
            raise fail(f"one of {', '.join(allowed)}")
    if "AllowedPattern" in declaration and re.fullmatch(declaration["AllowedPattern"], text) is None:
        raise fail(f"text like {declaration['AllowedPattern']}")
    if "MinLength" in declaration and len(text) < int(declaration["MinLength"]):
        raise fail(f"at least {declaration['MinLength']} characters")
    if "MaxLength" in declaration and len(text) > int(declaration["MaxLength"]):
        raise fail(f"at most {declaration['MaxLength']} characters")


def _text(value: Any) -> str:
    """As CloudFormation writes a value of YAML as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
