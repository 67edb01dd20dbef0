"""Clients of Bedrock's OpenAI-compatible endpoint, with a short-term key each.

Import it only where the endpoint is asked: the `openai` SDK takes some 0.4 s to import.
"""

from __future__ import annotations

import openai
from aws_bedrock_token_generator import provide_token

from tunedrop.settings import Settings

TIMEOUT_SECONDS = 120.0
"""How long one answer may take before it is given up."""

RETRIES = 4
"""Tries after the first, by the SDK, with exponential backoff, for what may be asked twice."""


def client(settings: Settings) -> openai.OpenAI:
    """A client whose key is made from this function's own credentials, locally, and is never stored."""
    return openai.OpenAI(
        base_url=settings.mantle_base_url,
        api_key=provide_token(region=settings.region),
        timeout=TIMEOUT_SECONDS,
        max_retries=RETRIES,
    )


def async_client(settings: Settings, *, retries: int = RETRIES) -> openai.AsyncOpenAI:
    """As `client`, for many questions at once."""
    return openai.AsyncOpenAI(
        base_url=settings.mantle_base_url,
        api_key=provide_token(region=settings.region),
        timeout=TIMEOUT_SECONDS,
        max_retries=retries,
    )
