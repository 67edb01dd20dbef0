"""Reading what a service answered: by a model that names what is missing, and never quotes what was sent.

A service may answer half of what it promises, another type, a page of HTML with status 200, or nothing. None of that
may end a run as a KeyError: a broken answer says nothing about what the call did, so its reader looks again.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from tunedrop.answer_members import AnswerBroken

_TOLD_FAULTS = 5
"""Faults of one answer that are named; a long answer may have thousands."""


class Answer(BaseModel):
    """The part of a service's answer that is read. Types are strict; fields that are not read may be anything."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, populate_by_name=True)


def _count(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 2**53 else None  # type: ignore[operator, return-value] # a whole number


def _words(value: object) -> str | None:
    return value if isinstance(value, str) else None


OptionalCount = Annotated[int | None, BeforeValidator(_count)]
"""A whole number from 0 that the answer is of use without: anything else counts as not told."""

OptionalText = Annotated[str | None, BeforeValidator(_words)]
"""A text that the answer is of use without: anything else counts as not told."""

Read = TypeVar("Read", bound=Answer)


def read(model: type[Read], body: object, what: str) -> Read:
    """`body` as `model`; `what` names the answer for the error.

    Raises:
        AnswerBroken: a field is missing or of another type. Their values are not quoted.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(_told(fault["type"], fault["loc"], fault["msg"]) for fault in faults[:_TOLD_FAULTS])
        raise AnswerBroken(f"{what}: {told}") from None


def _told(kind: str, place: tuple[int | str, ...], message: str) -> str:
    field = ".".join(map(str, place))[:100] or "the answer"
    return f"`{field}` is missing" if kind == "missing" else f"`{field}`: {message[:1].lower()}{message[1:200]}"
