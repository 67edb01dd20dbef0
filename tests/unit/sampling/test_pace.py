from __future__ import annotations

import asyncio

from tunedrop.sampling.pace import LEAST_SHARE, ROUND_SECONDS, Pace


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_questions_keep_to_the_tokens_of_a_minute() -> None:
    clock = Clock()
    pace = Pace(16, lambda: 6_000, clock=clock, sleep=clock.sleep)

    async def ask() -> None:
        for _ in range(61):
            await pace.turn(100)

    asyncio.run(ask())
    # 61 questions of 100 tokens: the last one begins when the 60 before it have had their minute.
    assert clock.now - 100 == 60


def test_the_window_narrows_once_a_round_and_widens_again() -> None:
    clock = Clock()
    pace = Pace(64, clock=clock, sleep=clock.sleep)
    for _ in range(30):
        pace.throttled()
    assert 40 < pace.window < 64
    for _ in range(30):
        clock.now += ROUND_SECONDS
        pace.throttled()
    assert pace.window == 64 * LEAST_SHARE
    for _ in range(5_000):
        pace.answered()
    assert pace.window == 64


def test_no_more_go_than_the_window_has_room_for() -> None:
    async def run() -> list[str]:
        pace = Pace(2)
        seen = []

        async def one(name: str) -> None:
            await pace.enter()
            seen.append(f"{name} in")
            await asyncio.sleep(0)
            seen.append(f"{name} out")
            await pace.leave()

        await asyncio.gather(*(one(name) for name in "abcd"))
        return seen

    inside = most = 0
    for event in asyncio.run(run()):
        inside += 1 if event.endswith("in") else -1
        most = max(most, inside)
    assert most == 2
