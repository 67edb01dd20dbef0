"""botocore's models of Bedrock: what the input of an operation must look like, and which operations there are.

The words of a refusal are those of AWS's own validation. botocore is loaded by the first request that needs it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from local.bedrock.native.errors import validation
from local.bedrock.records import Document

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

_SERVICES = ("bedrock", "bedrock-runtime")
_SHOWN_CHARACTERS = 100
_MOST_FINDINGS = 10
_WHOLE, _FRACTIONAL = ("integer", "long"), ("float", "double")

# The same language, without the choice of ways that makes Python's matcher try each of them: "a" and 60 hyphens.
_SIMPLER = {r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*": r"[a-zA-Z0-9][a-zA-Z0-9+.\-]*"}


def read_input(
    operation: str, *, body: Document | None = None, query: Mapping[str, str] | None = None, path: Mapping[str, str]
) -> Document:
    """The members of an operation's input by their names, with those of the query as numbers, moments (seconds since
    the epoch) and truth values. Members without a value are left out.

    Raises ApiError (ValidationException) that names every member that is not as the service's model has it.
    """
    shape: Any = _input_shape(operation)
    given: Document = {}
    for name, value in {**(query or {}), **path}.items():
        member = _located(shape, name)
        if member is not None:
            given[member] = _of_text(shape.members[member], value)
        elif not name.lower().startswith("x-amz-"):
            raise validation(f"Unknown parameter in the query: '{name}'.")
    for name, value in (body or {}).items():
        if name not in shape.members or shape.members[name].serialization.get("location"):
            raise validation(f"Unknown member in the body: '{name}'.")
        given[name] = value
    given = {name: value for name, value in given.items() if value is not None}
    _refuse(list(_structure_findings(shape, given, "")))
    return given


def check_members(operation: str, given: Document) -> None:
    """Check some members of an operation's input, whatever is required beside them. Raises ApiError as `read_input`."""
    shape: Any = _input_shape(operation)
    _refuse([finding for name, value in given.items() for finding in _findings(shape.members[name], value, name)])


def operation_at(method: str, path: str) -> str | None:
    """The operation of Bedrock's control plane or runtime that a request is for; None where there is none."""
    return next((name for verb, pattern, name in _operations() if verb == method and pattern.fullmatch(path)), None)


def _refuse(findings: list[str]) -> None:
    if findings:
        count = f"{len(findings)} validation error{'s' if len(findings) > 1 else ''} detected: "
        raise validation(count + "; ".join(findings[:_MOST_FINDINGS]))


@cache
def _service(name: str) -> ServiceModel:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(name, "service-2"))


@cache
def _input_shape(operation: str) -> Shape | None:
    for name in _SERVICES:
        service = _service(name)
        if operation in service.operation_names:
            return service.operation_model(operation).input_shape
    raise LookupError(f"botocore knows no operation {operation} of {' or '.join(_SERVICES)}")


@cache
def _operations() -> list[tuple[str, re.Pattern[str], str]]:
    found = []
    for service in map(_service, _SERVICES):
        for name in service.operation_names:
            http = service.operation_model(name).http
            parts = re.split(r"(\{[^}]+\})", http["requestUri"].partition("?")[0])
            pattern = "".join(
                (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
                for part in parts
            )
            found.append((http["method"], re.compile(f"{pattern}/?"), name))
    return found


def _located(shape: Any, name: str) -> str | None:
    for member, kind in shape.members.items():
        if kind.serialization.get("location") in ("querystring", "uri") and name == kind.serialization.get("name"):
            found: str = member
            return found
    return None


def _of_text(shape: Any, text: str) -> Any:
    """The value that a text of the query stands for; the text itself where it stands for none."""
    try:
        if shape.type_name in _WHOLE:
            return int(text)
        if shape.type_name == "timestamp":
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return text
    return {"true": True, "false": False}.get(text, text) if shape.type_name == "boolean" else text


def _findings(shape: Any, value: Any, where: str) -> Iterator[str]:
    if getattr(shape, "is_document_type", False):  # any JSON
        return
    expected = {"structure": dict, "map": dict, "list": list}.get(shape.type_name)
    if expected is None:
        yield from _scalar_findings(shape, value, where)
    elif not isinstance(value, expected):
        yield _finding(value, where, f"Member must be a {shape.type_name}")
    elif shape.type_name == "structure":
        yield from _structure_findings(shape, value, f"{where}.")
    else:
        yield from _size_findings(shape, len(value), value, where, "length")
        yield from _items_findings(shape, value, where)


def _items_findings(shape: Any, value: Any, where: str) -> Iterator[str]:
    if shape.type_name == "list":
        for place, item in enumerate(value):
            yield from _findings(shape.member, item, f"{where}.{place}")
        return
    for name, item in value.items():
        yield from _findings(shape.key, name, f"{where}.{name[:_SHOWN_CHARACTERS]} (the key)")
        yield from _findings(shape.value, item, f"{where}.{name[:_SHOWN_CHARACTERS]}")


def _structure_findings(shape: Any, given: Document, where: str) -> Iterator[str]:
    for name in shape.required_members:
        if given.get(name) is None:
            yield _finding(None, where + name, "Member must not be null")
    if getattr(shape, "is_tagged_union", False) and sum(value is not None for value in given.values()) != 1:
        yield _finding(given, where.rstrip("."), f"Member must have exactly one of [{', '.join(shape.members)}]")
    for name, value in given.items():
        if name not in shape.members:
            yield _finding(value, where + name[:_SHOWN_CHARACTERS], "There is no such member")
        elif value is not None:
            yield from _findings(shape.members[name], value, where + name)


def _scalar_findings(shape: Any, value: Any, where: str) -> Iterator[str]:
    kind = shape.type_name
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in _WHOLE and not (number and isinstance(value, int)):
        yield _finding(value, where, "Member must be a whole number")
    elif kind in _FRACTIONAL and not (number and math.isfinite(value)):
        yield _finding(value, where, "Member must be a number")
    elif kind == "timestamp" and not number:
        yield _finding(value, where, "Member must be a moment in the form of ISO 8601")
    elif kind == "boolean" and not isinstance(value, bool):
        yield _finding(value, where, "Member must be true or false")
    elif kind in (*_WHOLE, *_FRACTIONAL):
        yield from _size_findings(shape, value, value, where, "value")
    elif kind in ("string", "blob"):
        if not isinstance(value, str):
            yield _finding(value, where, "Member must be a string")
        elif kind == "string":
            yield from _string_findings(shape, value, where)


def _string_findings(shape: Any, value: str, where: str) -> Iterator[str]:
    sizes = list(_size_findings(shape, len(value), value, where, "length"))
    yield from sizes
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _finding(value, where, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    # A text that is too long has been refused, and is not worth a matcher's time.
    if pattern and not sizes and not _matches(pattern, value):
        yield _finding(value, where, f"Member must satisfy regular expression pattern: {pattern}")


def _size_findings(shape: Any, size: float, value: Any, where: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _finding(value, where, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _finding(value, where, f"Member must have {what} less than or equal to {most}")


def _finding(value: Any, where: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:_SHOWN_CHARACTERS]}'"
    return f"Value {shown} at '{where}' failed to satisfy constraint: {constraint}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_SIMPLER.get(pattern, pattern), re.DOTALL)
    except re.error:  # one in a syntax of Java's alone
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
