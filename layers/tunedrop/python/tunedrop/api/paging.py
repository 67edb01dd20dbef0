"""The tokens by which a list goes on: opaque to the client, and never a way into another team's list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from tunedrop import identity
from tunedrop.api.problems import Problem


def token_of(key: Mapping[str, Any] | None) -> str | None:
    """The token of the page that begins after `key` (DynamoDB's LastEvaluatedKey of the index `by_team`)."""
    if key is None:
        return None
    text = json.dumps([key["started_at"]["S"], key["run_id"]["S"]])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def key_of(token: str, team: str) -> dict[str, Any]:
    """The ExclusiveStartKey of a token, in the list of `team` whatever the token says.

    Raises:
        Problem: page-unknown: not a token that `token_of` made.
    """
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        started_at, run_id = json.loads(text)
        if not (isinstance(started_at, str) and 0 < len(started_at) <= 40 and identity.is_run_id(run_id)):
            raise ValueError(token)
        started_at.encode()
    except (ValueError, TypeError, binascii.Error, UnicodeEncodeError):
        raise Problem(
            "page-unknown", "Take `next` of the page before, or leave `page` out for the first one."
        ) from None
    return {"team": {"S": team}, "started_at": {"S": started_at}, "run_id": {"S": run_id}}
