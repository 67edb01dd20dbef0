"""The warm pool: idle processes are used again, bounded, and never those of another configuration."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import InvokeRefused
from embedded_aws.lambdas.pool import ProcessPool
from embedded_aws.lambdas.process import FunctionProcess

CONFIGURATION = FunctionConfiguration(
    name="one",
    version="1",
    arn="arn:aws:lambda:us-west-2:123456789012:function:one",
    role="role",
    handler="app.handler",
    timeout_seconds=3.0,
    memory_mb=128,
    environment=(),
    task_root=Path("code"),
    layers=(),
    log_group="/aws/lambda/one",
    log_format="Text",
)
OTHER = replace(CONFIGURATION, name="two")


@dataclass(eq=False)
class Recorded:
    """What the pool does with a process."""

    configuration: FunctionConfiguration
    pid: int
    dead: bool = False
    killed: bool = False
    closed: bool = False

    def kill(self) -> None:
        self.killed = self.dead = True

    def close(self) -> None:
        self.closed = self.dead = True


class Processes:
    """Starts recorded processes and keeps them all."""

    def __init__(self) -> None:
        self.started: list[Recorded] = []

    def start(self, configuration: FunctionConfiguration) -> FunctionProcess:
        self.started.append(Recorded(configuration, len(self.started)))
        return cast(FunctionProcess, self.started[-1])


def _pool(**limits: Any) -> tuple[ProcessPool, Processes]:
    processes = Processes()
    return ProcessPool(processes.start, **limits), processes


def _use(pool: ProcessPool, configuration: FunctionConfiguration) -> int:
    with pool.lend(configuration) as process:
        return process.pid


def test_an_idle_process_is_used_again() -> None:
    pool, processes = _pool()
    assert [_use(pool, CONFIGURATION) for _ in range(3)] == [0, 0, 0]
    assert len(processes.started) == 1


def test_busy_processes_are_not_shared() -> None:
    pool, _ = _pool()
    with pool.lend(CONFIGURATION) as first, pool.lend(CONFIGURATION) as second:
        assert first.pid != second.pid
        assert sorted(pool.busy("one")) == [0, 1]
    assert sorted(pool.warm("one")) == [0, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"environment": (("A", "1"),)},
        {"timeout_seconds": 9.0},
        {"task_root": Path("other")},
        {"layers": (Path("layer"),)},
        {"handler": "app.other"},
        {"memory_mb": 256},
        {"role": "other"},
    ],
)
def test_after_a_change_the_old_process_is_closed_and_not_used(change: dict[str, Any]) -> None:
    pool, processes = _pool()
    _use(pool, CONFIGURATION)
    assert _use(pool, replace(CONFIGURATION, **change)) == 1
    assert processes.started[0].closed


def test_versions_have_processes_of_their_own() -> None:
    pool, processes = _pool()
    assert _use(pool, CONFIGURATION) == 0
    assert _use(pool, replace(CONFIGURATION, version="2", environment=(("A", "1"),))) == 1
    assert _use(pool, CONFIGURATION) == 0
    assert not processes.started[0].closed


def test_beyond_the_limit_the_least_recently_used_is_closed() -> None:
    pool, processes = _pool(warm_limit=2)
    three = [replace(CONFIGURATION, name=name) for name in ("a", "b", "c")]
    for configuration in (three[0], three[1], three[0], three[2]):
        _use(pool, configuration)
    assert [process.closed for process in processes.started] == [False, True, False]


def test_busy_processes_may_exceed_the_warm_limit_and_are_closed_when_they_are_done() -> None:
    pool, processes = _pool(warm_limit=1)
    with pool.lend(CONFIGURATION), pool.lend(OTHER):
        assert len(processes.started) == 2
    assert sorted(process.closed for process in processes.started) == [False, True]


def test_a_dead_process_is_not_kept() -> None:
    pool, processes = _pool()
    with pool.lend(CONFIGURATION):
        processes.started[0].dead = True
    assert processes.started[0].closed
    assert _use(pool, CONFIGURATION) == 1


def test_a_process_that_died_while_idle_is_not_used() -> None:
    pool, processes = _pool()
    _use(pool, CONFIGURATION)
    processes.started[0].dead = True
    assert _use(pool, CONFIGURATION) == 1


def test_a_process_is_given_back_when_its_invocation_breaks() -> None:
    pool, _ = _pool()
    with contextlib.suppress(ValueError), pool.lend(CONFIGURATION):
        raise ValueError
    assert pool.busy("one") == []
    assert _use(pool, CONFIGURATION) == 0


def test_beyond_the_accounts_concurrency_an_invocation_is_refused() -> None:
    pool, _ = _pool(concurrency_limit=1)
    with pool.lend(CONFIGURATION), pytest.raises(InvokeRefused) as refused:
        _use(pool, OTHER)
    assert (refused.value.code, refused.value.status) == ("TooManyRequestsException", 429)
    assert _use(pool, OTHER) == 1


def test_beyond_its_reserved_concurrency_a_function_is_refused_and_others_are_not() -> None:
    pool, _ = _pool()
    reserved = replace(CONFIGURATION, reserved_concurrency=1)
    with pool.lend(reserved):
        with pytest.raises(InvokeRefused):
            _use(pool, reserved)
        assert _use(pool, OTHER) == 1
    assert _use(pool, reserved) == 0


def test_a_reserved_concurrency_of_nothing_refuses_everything() -> None:
    pool, processes = _pool()
    with pytest.raises(InvokeRefused):
        _use(pool, replace(CONFIGURATION, reserved_concurrency=0))
    assert processes.started == []


def test_kill_ends_the_functions_running_processes_alone() -> None:
    pool, processes = _pool()
    _use(pool, CONFIGURATION)
    with pool.lend(CONFIGURATION), pool.lend(OTHER):
        assert pool.kill("one") == 1
        assert [process.killed for process in processes.started] == [True, False]
    assert pool.kill("one") == 0


def test_forget_makes_the_next_invocation_a_cold_start() -> None:
    pool, processes = _pool()
    _use(pool, CONFIGURATION)
    pool.forget("one")
    assert processes.started[0].closed
    assert _use(pool, CONFIGURATION) == 1


def test_closing_ends_every_process_and_takes_no_more() -> None:
    pool, processes = _pool()
    _use(pool, OTHER)
    with pool.lend(CONFIGURATION):
        pool.close()
        assert processes.started[1].killed
    assert all(process.closed for process in processes.started)
    with pytest.raises(RuntimeError, match="closed"):
        _use(pool, CONFIGURATION)
