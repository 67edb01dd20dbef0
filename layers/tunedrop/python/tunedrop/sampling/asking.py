"""Many questions at once, bounded, each tried until it is answered or its time is up, with the answers as they come."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeVar

from tunedrop.sampling.pace import Pace
from tunedrop.sampling.question import Asking, NotAllowed, NotAnswered, Question, Reply, Sampler, Throttled

Key = TypeVar("Key")

PATIENCE_SECONDS = 300.0
"""How long a question is tried while the service throttles: five of the minutes by which quotas are counted."""

TRIES = 5
"""Tries of a question that fails for another reason: connection lost, no answer in time, an error of the service. A
question that we have no right to ask is tried once."""

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0

START_SPACING_SECONDS = 0.004
"""Between the first questions. One costs this process some 2 ms. Those that are asked in one moment are answered in one
moment, wait for each other in its one thread, and are asked in one moment again: with 64 at once and a second an answer
4% of every round."""

_TOKEN_CHARACTERS = 4
"""English text has some four characters a token; good enough for a budget of which max_tokens is the larger part."""


async def ask_all(
    sampler: Sampler,
    asking: Asking,
    questions: Iterable[tuple[Key, Question]],
    *,
    in_flight: int,
    tokens_a_minute: Callable[[], float | None] = lambda: None,
    seconds_left: Callable[[], float] = lambda: PATIENCE_SECONDS,
) -> AsyncGenerator[tuple[Key, Reply | NotAnswered], None]:
    """Every question's answer, in the order in which they come; at most `in_flight` are under way.

    `questions` is read as it is needed, so that it may be a file of any size. Answers may be taken more slowly than
    they come, by up to `in_flight` of them; then the asking waits. A question that is throttled or fails is tried
    again, after a growing random wait, within `seconds_left()`. Closing the iterator cancels what is under way.
    """
    waiting = iter(questions)
    pace = Pace(in_flight, tokens_a_minute)
    answers: asyncio.Queue[tuple[Key, Reply | NotAnswered] | None] = asyncio.Queue(in_flight)

    async def work(place: int) -> None:
        await asyncio.sleep(place * START_SPACING_SECONDS)
        # A generator: one worker at a time is in it, since nothing in it awaits.
        for key, question in waiting:
            try:
                reply: Reply | NotAnswered = await _ask(sampler, asking, question, pace, seconds_left)
            except NotAnswered as trouble:
                reply = trouble
            await answers.put((key, reply))

    async def work_all() -> None:
        workers = [asyncio.create_task(work(place)) for place in range(in_flight)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            if not stopped:
                await answers.put(None)

    stopped = False
    working = asyncio.create_task(work_all())
    try:
        while (answer := await answers.get()) is not None:
            yield answer
        await working
    finally:
        stopped = True
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _ask(
    sampler: Sampler, asking: Asking, question: Question, pace: Pace, seconds_left: Callable[[], float]
) -> Reply:
    tokens = len(json.dumps(list(question.messages))) // _TOKEN_CHARACTERS + asking.max_tokens
    began = time.monotonic()
    throttled = failed = 0
    while True:
        await pace.enter()
        try:
            await pace.turn(tokens)
            reply = await sampler.ask(asking, question)
            pace.answered()
            return reply
        except Throttled as trouble:
            pace.throttled()
            throttled += 1
            wait = _wait(throttled, trouble.after_seconds)
            if time.monotonic() - began + wait > PATIENCE_SECONDS or wait > seconds_left():
                raise
        except NotAllowed:
            raise
        except NotAnswered:
            failed += 1
            wait = _wait(failed, None)
            if failed == TRIES or wait > seconds_left():
                raise
        finally:
            await pace.leave()
        await asyncio.sleep(wait)


def _wait(tries: int, told: float | None) -> float:
    """Exponential with full jitter (Brooker 2015, "Exponential Backoff And Jitter"), not before the service's word."""
    most = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (tries - 1))
    return (told or 0.0) + random.uniform(0, most)  # noqa: S311 - no secret depends on it
