"""Clients of Bedrock's OpenAI-compatible endpoint, with a key each that is never stored or logged.

The key is a short-term one, made of the function's own credentials, or the long-term one of the stack's secret.

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
    """A client for one call after the other."""
    return openai.OpenAI(
        base_url=settings.mantle_base_url,
        api_key=_key(settings),
        timeout=TIMEOUT_SECONDS,
        max_retries=RETRIES,
    )


def async_client(settings: Settings, *, retries: int = RETRIES) -> openai.AsyncOpenAI:
    """As `client`, for many questions at once."""
    return openai.AsyncOpenAI(
        base_url=settings.mantle_base_url,
        api_key=_key(settings),
        timeout=TIMEOUT_SECONDS,
        max_retries=retries,
    )


def _key(settings: Settings) -> str:
    """The secret's key where the stack has one, read anew each time, so that it can be changed; else a short-term key.

    A short-term key ends with the function's credentials, after hours; a client lives for minutes.
    """
    if settings.api_key_secret:
        import boto3

        secrets = boto3.client("secretsmanager", region_name=settings.region)
        key: str = secrets.get_secret_value(SecretId=settings.api_key_secret)["SecretString"].strip()
        return key
    token: str = provide_token(region=settings.region)
    return token
