"""The quota of inference: tokens a minute, prompt and `max_tokens` counted together before a request is answered."""

from __future__ import annotations

import time

from local.bedrock.errors import ApiError


class TokenQuota:
    """A bucket that holds a minute's tokens and fills evenly."""

    def __init__(self) -> None:
        self._left = 0.0
        self._filled_at = 0.0  # so that the first request finds the bucket full

    def take(self, tokens: int, *, tokens_per_minute: int) -> None:
        """Take the tokens of a request. Raises ApiError (429) where they are not there; 0 a minute means no quota."""
        if tokens_per_minute == 0:
            return
        now = time.monotonic()
        filled = self._left + (now - self._filled_at) * tokens_per_minute / 60
        self._left, self._filled_at = min(float(tokens_per_minute), filled), now
        if tokens > self._left:
            message = (
                f"Rate limit reached: {tokens_per_minute} tokens per minute, {tokens} asked, {int(self._left)} left."
            )
            raise ApiError(429, "rate_limit_exceeded", message, kind="rate_limit_error")
        self._left -= tokens
