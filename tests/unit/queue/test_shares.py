"""The tokens a minute of a stack, shared by the runs that are evaluated at the same moment."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from local.bedrock.errors import ApiError
from local.bedrock.quota import TokenQuota
from tunedrop import clock as tunedrop_clock
from tunedrop.queue.shares import LEASE, Shares
from tunedrop.sampling.pace import Pace
from tunedrop.states.evaluate_shard import LOOK_SECONDS

START = datetime(2026, 1, 1, tzinfo=UTC)
A_MINUTE = 36_000
TOKENS = 300


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while everybody sleeps: then at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        inside: Any = self
        if not inside._ready and inside._scheduled:
            self.now = max(self.now, inside._scheduled[0]._when)
        inside_base: Any = super()
        inside_base._run_once()


@pytest.fixture
def client(api_table: str) -> Any:
    return boto3.client("dynamodb")


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    loop = VirtualLoop()
    monkeypatch.setattr(tunedrop_clock, "now", lambda: START + timedelta(seconds=loop.now))
    monkeypatch.setattr(time, "monotonic", lambda: loop.now)
    return loop


def test_the_runs_that_ask_at_the_same_moment_have_equal_shares(client: Any, loop: VirtualLoop) -> None:
    shares = Shares(client, "api", "open-weight", A_MINUTE)
    assert shares.of("a") == A_MINUTE
    assert [shares.of("b"), shares.of("a")] == [A_MINUTE / 2, A_MINUTE / 2]
    assert Shares(client, "api", "nova", A_MINUTE).of("c") == A_MINUTE


def test_the_share_of_a_run_that_ended_or_was_killed_goes_to_the_others(client: Any, loop: VirtualLoop) -> None:
    shares = Shares(client, "api", "open-weight", A_MINUTE)
    shares.of("killed")
    while loop.now < LEASE.total_seconds():
        loop.now += LOOK_SECONDS
        shares.of("a")
    assert shares.of("a") == A_MINUTE


def test_most_looks_only_read(client: Any, loop: VirtualLoop) -> None:
    shares = Shares(client, "api", "open-weight", A_MINUTE)
    calls: Counter[str] = Counter()
    client.meta.events.register("before-call.dynamodb.*", lambda model, **_: calls.update([model.name]))
    shards, looks = 8, 20
    for _ in range(looks):
        for _ in range(shards):
            shares.of("a")
        loop.now += LOOK_SECONDS
    assert calls["GetItem"] == shards * looks
    assert calls["PutItem"] <= looks * LOOK_SECONDS / (LEASE.total_seconds() / 2) + 1


class Evaluations:
    """Runs that are evaluated at the same moment, each by two shards, against one quota of the service."""

    def __init__(self, loop: VirtualLoop, share: Callable[[str], float | None], questions: int) -> None:
        self.loop, self.share, self.questions = loop, share, questions
        self.quota = TokenQuota()
        self.refused = 0
        self.answered: dict[str, list[float]] = {}
        self.chance = random.Random(19)

    async def shard(self, run_id: str) -> None:
        figure = [self.share(run_id)]
        pace = Pace(8, lambda: figure[0] and figure[0] / 2, clock=self.loop.time, sleep=asyncio.sleep)

        async def look() -> None:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                figure[0] = self.share(run_id)

        async def ask() -> None:
            tries = 0
            while True:
                await pace.enter()
                try:
                    await pace.turn(TOKENS)
                    self.quota.take(TOKENS, tokens_per_minute=A_MINUTE)
                    await asyncio.sleep(2)
                    self.answered.setdefault(run_id, []).append(self.loop.now)
                    pace.answered()
                    return
                except ApiError:
                    self.refused += 1
                    pace.throttled()
                finally:
                    await pace.leave()
                tries += 1
                await asyncio.sleep(self.chance.uniform(0, min(30, 0.5 * 2**tries)))

        looking = asyncio.create_task(look())
        await asyncio.gather(*(ask() for _ in range(self.questions)))
        looking.cancel()

    async def all(self, starts: dict[str, float]) -> None:
        async def run(run_id: str, after: float) -> None:
            await asyncio.sleep(after)
            await asyncio.gather(self.shard(run_id), self.shard(run_id))

        await asyncio.gather(*(run(run_id, after) for run_id, after in starts.items()))


@pytest.mark.parametrize("questions", [150, pytest.param(400, marks=pytest.mark.prove)])
def test_three_evaluations_at_once_keep_to_the_quota_and_none_starves(
    client: Any, loop: VirtualLoop, questions: int
) -> None:
    shares = Shares(client, "api", "open-weight", A_MINUTE)
    starts = {"a": 0.0, "b": 20.0, "c": 40.0}
    shared = Evaluations(loop, shares.of, questions)
    loop.run_until_complete(shared.all(starts))
    asked = 3 * 2 * questions
    assert {run_id: len(each) for run_id, each in shared.answered.items()} == dict.fromkeys(starts, 2 * questions)
    assert shared.refused <= 50, "only until each has looked who else asks, however many questions there are"
    at_best = asked * TOKENS / A_MINUTE * 60
    ends = {run_id: max(each) - starts[run_id] for run_id, each in shared.answered.items()}
    assert max(ends.values()) <= at_best * 1.6 + LEASE.total_seconds()
    # While all three ask, after each has looked: each has its third of the quota.
    began, until = 40 + LOOK_SECONDS, min(max(each) for each in shared.answered.values())
    if until > began + 30:
        for each in shared.answered.values():
            rate = sum(began <= at <= until for at in each) * TOKENS / (until - began) * 60
            assert 0.7 * A_MINUTE / 3 <= rate <= 1.3 * A_MINUTE / 3
    unshared = Evaluations(loop, lambda _: A_MINUTE, questions)
    loop.run_until_complete(unshared.all(starts))
    assert unshared.refused > 2 * shared.refused, "the quota would have held without shares"
