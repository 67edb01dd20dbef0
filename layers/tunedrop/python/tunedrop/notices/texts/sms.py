"""What a subscriber by text message reads: the first two lines of the notice, and which run it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunedrop.notices.plain_text import short

CHARACTERS = 480
"""About four parts of a text message; SNS takes 1,600 characters at most
(docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html) and charges for each part."""


def text_of(document: Mapping[str, Any]) -> str:
    """The text of a notice."""
    run = f" Run {document['run_id']}" if document.get("run_id") else ""
    following = short(document["next"], CHARACTERS // 2)
    headline = short(f"Tunedrop: {document['headline']}", CHARACTERS - len(following) - len(run) - 1)
    return f"{headline} {following}{run}"
