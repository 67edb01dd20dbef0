"""The signature of a request that another service received: only the embedded AWS knows the secret of its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_aws.gateway import signature
from embedded_aws.gateway.proxy_event import Request
from embedded_aws.identities import Identities


def wrong_in(asked: Mapping[str, Any], identities: Identities, region: str) -> str | None:
    """What is wrong with the signature; None where nothing is.

    `asked` is the request, `{method, path, query, headers, digest, service}`; `digest` is the SHA-256 of its body. A
    key that was not issued here (a developer's) is let through: nobody here knows its secret.
    """
    headers = [(str(name), str(value)) for name, value in asked["headers"]]
    request = Request(asked["method"], asked["path"], asked["query"], headers, b"", "127.0.0.1")
    try:
        signed = signature.read(request)
        if signed is None:
            return "the request is not signed"
        caller = identities.of(signed.access_key)
        if caller is None:
            return None
        if request.header("X-Amz-Security-Token") != caller.session_token:
            return "the security token is not that of the access key"
        signature.check(
            request,
            signed,
            path=asked["path"],
            secret_key=caller.secret_key,
            region=region,
            service=asked["service"],
            digest=asked["digest"],
        )
    except (signature.Malformed, signature.Expired, signature.Mismatch) as error:
        return str(error)
    return None
