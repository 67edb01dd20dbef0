"""Clients of Bedrock's OpenAI-compatible endpoint: with a key each that is never stored or logged, or signing requests.

The key is read or made for each client; a client lives for minutes, a short-term key for hours.

Import it only where the endpoint is asked: importing the `openai` SDK takes a fifth of a second.
"""

from __future__ import annotations

from typing import Any

from tunedrop.bedrock_key import bedrock_key
from tunedrop.openai_sdk import openai
from tunedrop.settings import Settings

TIMEOUT_SECONDS = 120.0
"""How long one answer may take before it is given up."""

RETRIES = 4
"""Tries after the first, by the SDK, with exponential backoff, for what may be asked twice."""


def client(settings: Settings) -> openai.OpenAI:
    """A client for one call after the other."""
    asked: dict[str, Any] = {"project": settings.project, "timeout": TIMEOUT_SECONDS, "max_retries": RETRIES}
    if settings.signs_requests:
        from tunedrop.signed_client import signed

        return signed(settings.region, settings.mantle_base_url, **asked)
    key = bedrock_key(settings.region, settings.api_key_secret)
    return openai.OpenAI(base_url=settings.mantle_base_url, api_key=key, **asked)


def async_client(settings: Settings, *, retries: int = RETRIES) -> openai.AsyncOpenAI:
    """As `client`, for many questions at once."""
    asked: dict[str, Any] = {"project": settings.project, "timeout": TIMEOUT_SECONDS, "max_retries": retries}
    if settings.signs_requests:
        from tunedrop.signed_client import signed_async

        return signed_async(settings.region, settings.mantle_base_url, **asked)
    key = bedrock_key(settings.region, settings.api_key_secret)
    return openai.AsyncOpenAI(base_url=settings.mantle_base_url, api_key=key, **asked)
