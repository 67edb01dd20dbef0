"""Work that is done in threads, now or later."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from embedded_aws.later import Later


@pytest.fixture
def later() -> Iterator[Later]:
    made = Later("test", workers=2)
    yield made
    made.close()


def test_work_is_done_again_until_it_is_done(later: Later) -> None:
    waits = iter([0.0, 0.01, None])
    done: list[float | None] = []

    def work() -> float | None:
        done.append(next(waits))
        return done[-1]

    later.do(work)
    later.settle()
    assert done == [0.0, 0.01, None]


def test_what_waits_holds_up_nobody(later: Later) -> None:
    for _ in range(20):
        later.do(lambda: 3600.0)
    ran = threading.Event()

    def work() -> None:
        ran.set()

    later.do(work)
    assert ran.wait(10)
    with pytest.raises(TimeoutError, match="20 still under way"):
        later.settle(0.2)


def test_what_is_due_first_is_done_first(later: Later) -> None:
    order: list[str] = []

    def work(name: str, wait: float) -> None:
        waits = iter([wait])

        def once() -> float | None:
            found = next(waits, None)
            if found is None:
                order.append(name)
            return found

        later.do(once)

    work("late", 0.2)
    work("early", 0.05)
    later.settle()
    assert order == ["early", "late"]


def test_work_that_breaks_is_over(later: Later, caplog: pytest.LogCaptureFixture) -> None:
    def work() -> None:
        raise ValueError("no good")

    later.do(work)
    later.settle()
    assert "no good" in caplog.text


def test_closing_leaves_undone_what_waits() -> None:
    later = Later("test", workers=1)
    tried: list[int] = []

    def work() -> float:
        tried.append(1)
        return 0.05

    later.do(work)
    with pytest.raises(TimeoutError):
        later.settle(0.01)
    later.close()
    before = len(tried)
    later.do(work)
    assert len(tried) == before
