"""A notice made ready for SNS: exactly the parameters of Publish, but for the topic.

docs.aws.amazon.com/sns/latest/api/API_Publish.html has the limits. They are kept here, so no state has to know them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from tunedrop.notices import texts

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

SUBJECT_LENGTH = 99
"""SNS refuses a Subject of 100 characters or more ("up to 100 characters long")."""

LARGEST_BYTES = 64 * 1024
"""The most that a publication takes as JSON. SNS allows 256 KiB for message and attributes together, a state of the
state machine 256 KiB for its whole data; SNS charges for each 64 KB."""

_LONGEST_TEXT = 8_000
_TEXT_PER_ENTRY = 40
"""Cutting a document to texts of N characters cuts its lists to N / 40 entries."""

_NOT_IN_ATTRIBUTES = r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
"""All but SNS, Publish: "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to
#x10FFFF". Written as what is left, which compiles faster, and compiled at the first notice."""


class Publication(TypedDict):
    """The parameters of Publish, in their order. A state or a function adds its TopicArn and passes them on."""

    Subject: str
    Message: str
    MessageStructure: Literal["json"]
    MessageAttributes: dict[str, MessageAttributeValueTypeDef]


def publication(document: Mapping[str, Any], subject: str, attributes: Mapping[str, str | None]) -> Publication:
    """A notice as SNS takes it. Of a document that is too large, the longest texts and lists are cut."""
    made = _publication(document, subject, attributes)
    longest = _LONGEST_TEXT
    while _bytes(made) > LARGEST_BYTES:
        longest //= 2
        made = _publication(_cut(document, longest), subject, attributes)
    return made


def with_document(published: Mapping[str, Any], document: Mapping[str, Any]) -> Publication:
    """The same notice with another document: its subject and attributes stay."""
    attributes = {name: each["StringValue"] for name, each in published["MessageAttributes"].items()}
    return publication(document, published["Subject"], attributes)


def document_of(published: Mapping[str, Any]) -> dict[str, Any]:
    """The document in a publication."""
    document: dict[str, Any] = json.loads(json.loads(published["Message"])["default"])
    return document


def subject_line(told: str, name: str, instead: str) -> str:
    """`told` and as much of `name` as SNS takes: at most 99 printable ASCII characters in all.

    `instead`, in printable ASCII, stands for a name of which ASCII can write nothing, or with control characters.
    """
    plain = _in_ascii(name) or instead
    room = SUBJECT_LENGTH - len(told)
    return told + (plain if len(plain) <= room else plain[: room - 3] + "...")


def _publication(document: Mapping[str, Any], subject: str, attributes: Mapping[str, str | None]) -> Publication:
    default = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return {
        "Subject": subject,
        "Message": json.dumps({"default": default, **texts.by_protocol(document)}, ensure_ascii=False),
        "MessageStructure": "json",
        "MessageAttributes": _message_attributes(attributes),
    }


def _bytes(made: Publication) -> int:
    """How much of a state's data a publication takes: as JSON, in UTF-8."""
    return len(json.dumps(made, ensure_ascii=False).encode(errors="surrogatepass"))


def _cut(value: Any, longest: int) -> Any:
    """A document, or a value in it, whose texts have at most `longest` characters."""
    if isinstance(value, str):
        return value if len(value) <= longest else value[: longest - 1] + "…"
    if isinstance(value, Mapping):
        return {name: _cut(each, longest) for name, each in value.items()}
    if isinstance(value, list):
        return [_cut(each, longest) for each in value[: longest // _TEXT_PER_ENTRY]]
    return value


def _message_attributes(values: Mapping[str, str | None]) -> dict[str, MessageAttributeValueTypeDef]:
    """SNS's MessageAttributes of `values`; left out where there is no value.

    A folder can have any name, and SNS refuses an attribute with a character that XML does not hold: it becomes a
    question mark. The document has the name as it is.
    """
    return {
        name: {"DataType": "String", "StringValue": re.sub(_NOT_IN_ATTRIBUTES, "?", value)}
        for name, value in values.items()
        if value
    }


def _in_ascii(name: str) -> str | None:
    """A name in printable ASCII, letters of other scripts by their sound; None where nothing readable is left."""
    if not name.isascii():
        from anyascii import anyascii  # most names do without its tables

        name = anyascii(name)
    return name if all(" " <= each <= "~" for each in name) and name.strip() else None
