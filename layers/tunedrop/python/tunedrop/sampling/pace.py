"""How fast a service may be asked: no more at once than was agreed, no faster than its tokens a minute allow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

SLOWER = 0.7
"""What a throttled answer leaves of the window. Milder than TCP's half: the service tells us, nothing is lost."""

ROUND_SECONDS = 1.0
"""The window shrinks at most once in this time: the questions of one moment are throttled together."""

LEAST_SHARE = 1 / 8
"""Of `in_flight`, what the window never goes below; a service that takes less is waited for by each question alone."""


class Pace:
    """Lets questions go, a coroutine each: `await enter()`, `await turn(tokens)`, ask, `await leave()`.

    Two bounds hold. A window of questions under way, at most `in_flight`: it shrinks when the service throttles and
    grows again by one a round of answers (additive increase, multiplicative decrease; Chiu and Jain 1989, Computer
    Networks and ISDN Systems 17). And, where `tokens_a_minute` is given, a budget that fills evenly, from which each
    question takes the tokens that the service counts before it answers: the prompt's and the most of the answer.
    """

    def __init__(
        self,
        in_flight: int,
        tokens_a_minute: Callable[[], float | None] = lambda: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._most = float(in_flight)
        self._least = max(1.0, in_flight * LEAST_SHARE)
        self._tokens_a_minute = tokens_a_minute
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        self._shrunk_at = float("-inf")
        self._under_way = 0
        self._room = asyncio.Condition()
        self.window = self._most
        """How many questions may be under way now."""

    async def turn(self, tokens: int) -> None:
        """Wait until the budget has so many tokens. A question larger than a minute's budget waits for all of it."""
        tokens_a_minute = self._tokens_a_minute()
        if tokens_a_minute is None:
            return
        now = self._clock()
        # Each takes its place in the queue at once, so that those who wait do not overtake each other.
        begins = max(now, self._free_at)
        self._free_at = begins + tokens / (tokens_a_minute / 60)
        if begins > now:
            await self._sleep(begins - now)

    async def enter(self) -> None:
        """Wait for room in the window, and take it."""
        if self._under_way < int(self.window):
            self._under_way += 1
            return
        async with self._room:
            await self._room.wait_for(lambda: self._under_way < int(self.window))
            self._under_way += 1

    async def leave(self) -> None:
        """Give the room back."""
        self._under_way -= 1
        async with self._room:
            self._room.notify(2)  # one for the room given back, one in case the window has grown

    def answered(self) -> None:
        """The service answered: a full round of answers makes the window one wider."""
        self.window = min(self._most, self.window + 1 / self.window)

    def throttled(self) -> None:
        """The service throttled: narrow the window, once a round."""
        now = self._clock()
        if now - self._shrunk_at >= ROUND_SECONDS:
            self._shrunk_at = now
            self.window = max(self._least, self.window * SLOWER)
