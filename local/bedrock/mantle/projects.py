"""The Bedrock project of a request: `OpenAI-Project`, or the account's default one.

Files and jobs belong to the project of the request that made them, and no other project's requests find them.
docs.aws.amazon.com/bedrock/latest/userguide/projects.html; that the header names it: UNCONFIRMED, as OpenAI has it.
"""

from __future__ import annotations

import re

from starlette.requests import Request

from local.bedrock.errors import invalid
from local.bedrock.records import Document

DEFAULT = "default"
_PROJECT = re.compile(r"default|proj_[A-Za-z0-9]{1,64}")


def project_of(request: Request) -> str:
    """The project's id. Raises ApiError (400) for what is none."""
    told = request.headers.get("openai-project", DEFAULT)
    if not _PROJECT.fullmatch(told):
        raise invalid(f"OpenAI-Project: expected 'default' or 'proj_…', got {told[:100]!r}.", param="OpenAI-Project")
    return told


def is_of(document: Document, request: Request) -> bool:
    """Whether a file or job belongs to the request's project; those that were kept without one are the default's."""
    kept: str = document.get("project", DEFAULT)
    return kept == project_of(request)
