"""Replies that are sent while they are being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from local.bedrock.answers import Answers, OnPiece


class Writing:
    """The pieces of replies as they come, and the whole answers after the last one."""

    def __init__(self, ask: Callable[[OnPiece], Awaitable[Answers]]) -> None:
        self._pieces: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        self._first: list[tuple[int, str] | None] = []
        self._task = asyncio.ensure_future(self._write(ask))

    async def _write(self, ask: Callable[[OnPiece], Awaitable[Answers]]) -> Answers:
        try:
            return await ask(lambda place, text: self._pieces.put_nowait((place, text)))
        finally:
            self._pieces.put_nowait(None)

    async def begin(self) -> None:
        """Wait for the first piece. Raises what the model was refused for, while an error can still be answered."""
        self._first.append(await self._pieces.get())
        if self._first == [None]:
            await self._task

    async def pieces(self) -> AsyncIterator[tuple[int, str]]:
        """Each piece: the reply's place, the text. Whoever stops listening ends the writing."""
        try:
            while True:
                piece = self._first.pop() if self._first else await self._pieces.get()
                if piece is None:
                    return
                yield piece
        finally:
            if not self._pieces.empty() or not self._task.done():
                self._task.cancel()

    async def answers(self) -> Answers:
        """The whole answers, once the pieces have ended."""
        return await self._task
