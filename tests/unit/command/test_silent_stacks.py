"""A stack that gives no answer under a command: the command tells it, and ends where the stack has ended."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from local.command import exits
from local.command.api_progress import ApiProgress
from local.command.api_run import follow_and_tell
from local.command.views import PlainView
from tunedrop_client import Problem, Unreachable

OUT = Unreachable("no network", sent=False)
ELSEWHERE = "https://abc.execute-api.us-west-2.amazonaws.com/v1"


class Place:
    local = True

    def __init__(self, url: str) -> None:
        self.api_url = url


class SilentClient:
    """A client that has no answer for a run, `failures` times, each after a minute, in each outage; then a refusal."""

    def __init__(self, url: str, failures: int, outages: int) -> None:
        self.place = Place(url)
        self._minutes = [*range(failures)] * outages

    def follow(self, _run_id: str, *, every: float | None, on_failure: Callable[[Exception, float], None]) -> Any:
        assert every is not None
        for minute in self._minutes:
            on_failure(OUT, 60.0 * minute)
        raise Problem(404, {"detail": "no such run"})


def followed(url: str, failures: int = 1, outages: int = 1) -> tuple[str, Exception]:
    """What the command told, and how it ended."""
    told = io.StringIO()
    view = PlainView(Console(file=told, width=300))
    with pytest.raises((exits.CommandError, Problem)) as ended:
        follow_and_tell(SilentClient(url, failures, outages), "sums-1", Console(file=told), view, as_json=False)  # type: ignore[arg-type]
    return told.getvalue(), ended.value


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def test_a_stack_of_this_machine_that_has_ended_ends_the_command() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    _, ended = followed(url)
    assert str(ended).startswith(f"the stack at {url} has ended, and run sums-1 with it; start one with `tunedrop up`")


def test_a_stack_that_is_only_busy_is_asked_on(listening: str) -> None:
    told, ended = followed(listening)
    assert "No answer for 0 s (no network). The run goes on" in told
    assert isinstance(ended, Problem)


def test_each_outage_is_told_more_seldom_the_longer_it_lasts() -> None:
    told, _ = followed(ELSEWHERE, failures=60, outages=2)
    seconds = [line.split(" s (")[0].rpartition(" ")[2] for line in told.splitlines()]
    assert seconds == [*("0", "60", "120", "240", "480", "960", "1920")] * 2


class NoMetrics:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def metrics(self, *_: object, **__: object) -> Any:
        raise self._error


def steps(error: Exception) -> Any:
    """The steps that are known after a request of the metrics failed."""
    return ApiProgress(NoMetrics(error))._steps({"run_id": "sums-1", "training": {"steps": 3}})  # type: ignore[arg-type,typeddict-item]


def test_metrics_that_cannot_be_read_now_are_asked_for_at_the_next_look() -> None:
    assert steps(OUT) == []
    with pytest.raises(Problem):
        steps(Problem(403, {"detail": "not yours"}))
