"""Many questions at once, bounded, with the answers as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from tunedrop.sampling.question import Asking, NotAnswered, Question, Reply, Sampler

Key = TypeVar("Key")


async def ask_all(
    sampler: Sampler, asking: Asking, questions: Iterable[tuple[Key, Question]], *, in_flight: int
) -> AsyncIterator[tuple[Key, Reply | NotAnswered]]:
    """Every question's answer, in the order in which they come; at most `in_flight` are under way.

    `questions` is read as it is needed, so that it may be a file of any size. Closing the iterator cancels what is
    under way.
    """
    waiting = iter(questions)
    under_way: dict[asyncio.Task[Reply], Key] = {}
    try:
        while True:
            while len(under_way) < in_flight and (following := next(waiting, None)) is not None:
                key, question = following
                under_way[asyncio.create_task(sampler.ask(asking, question))] = key
            if not under_way:
                return
            done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                key = under_way.pop(task)
                error = task.exception()
                if isinstance(error, NotAnswered):
                    yield key, error
                else:
                    yield key, task.result()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
