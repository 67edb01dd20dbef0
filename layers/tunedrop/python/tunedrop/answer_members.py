"""Reading single members of what AWS answered, without pydantic: its import would cost each start a tenth of a second.

`service_answers` reads whole answers by a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")


class AnswerBroken(Exception):
    """A service's answer lacks something that its contract promises; the message names it."""


def member(answer: object, name: str, kind: type[Value], what: str) -> Value:
    """The member `name` of an answer of AWS, which must be a `kind`, and no empty text.

    Raises:
        AnswerBroken: it is missing or of another type.
    """
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if isinstance(value, kind) and value != "":
        return value
    told = "missing" if value is None else "empty" if value == "" else f"a {type(value).__name__}"
    raise AnswerBroken(f"{what}: `{name}` is {told}")


def members(answer: object, name: str, what: str) -> list[Any]:
    """The list `name` of an answer of AWS; an empty one where the answer has none, as AWS leaves empty lists out.

    Raises:
        AnswerBroken: there is something else in its place.
    """
    found: list[Any] = (
        [] if isinstance(answer, Mapping) and answer.get(name) is None else member(answer, name, list, what)
    )
    return found
