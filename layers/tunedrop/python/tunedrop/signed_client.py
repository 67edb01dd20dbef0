"""Clients of Bedrock's OpenAI-compatible endpoint that sign each request (SigV4) and send no bearer token.

For accounts that deny `bedrock-mantle:CallWithBearerToken`. The SDK's own provider signs, with the function's
credentials. The address ends in /v1, since fine-tuning is documented there alone; the provider's default is /openai/v1.
"""

from __future__ import annotations

from typing import Any

from tunedrop.openai_sdk import bedrock_signer, openai


class SignedOpenAI(openai.OpenAI):
    """The SDK's client for one call after the other. It reads an upload before it is signed: a stream is refused."""

    def _prepare_request(self, request: Any) -> None:
        request.read()
        super()._prepare_request(request)


def signed(region: str, base_url: str, **options: Any) -> SignedOpenAI:
    """A client that signs. `options` as the SDK has them: `project`, `timeout`, `max_retries`."""
    return SignedOpenAI(provider=bedrock_signer(region, base_url), **options)


def signed_async(region: str, base_url: str, **options: Any) -> openai.AsyncOpenAI:
    """As `signed`, for many questions at once; it uploads nothing."""
    return openai.AsyncOpenAI(provider=bedrock_signer(region, base_url), **options)
