"""One run under its faults, to its end, and what the oracle says of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from embedded_aws.embedded import ACCOUNT
from tests.faults import oracle, schedule
from tests.faults.world import MOST_CALLS, QUIET_SECONDS, World

TURNS = 4
"""Turns of the sweeper within which a run must have its end once the weather has cleared."""


@dataclass(slots=True)
class Result:
    """How a run under faults ended."""

    seed: int
    status: str
    reason: str
    seconds: float
    hits: dict[str, int]
    violations: list[str] = field(default_factory=list)
    planned: str = ""
    ways: list[str] = field(default_factory=list)
    turns: int = 0
    calls: int = 0


def run_seed(world: World, seed: int) -> Result:
    """Make the run of a seed. Never raises for what the run does: that is in the result."""
    planned = schedule.draw(seed)
    started = time.monotonic()
    patience = Patience(world)
    sizes = oracle.log_sizes(world)
    world.begin(planned)
    turns = 0
    try:
        world.drop(planned)
        patience.wait()
    finally:
        world.clear()
    while turns < TURNS:
        patience.wait()
        turns += 1
        world.application.sweep()
        patience.wait()
        records = world.application.records(world.name)
        if records and all(record.notified_at for record in records):
            break
        time.sleep(1 / 15)  # the sweeper starts one aftermath a run and minute
    if any(fault.kind == "upload late again" for fault in planned.faults):
        world.hit("event upload late again")
        world.replay_upload()
        patience.wait()
    found = oracle.violations(world, sizes)
    records = world.application.records(world.name)
    status, reason = ("NONE", "") if not records else (str(records[0].status), _reason(records[0].reason))
    if status == "FAILED" and not oracle.is_named(reason.partition(":")[0]):
        found.append(f"the run was ended by an error that nobody has named: {reason}")
    return Result(
        seed,
        status,
        reason,
        time.monotonic() - started,
        dict(world.hits),
        found,
        planned=str(planned),
        ways=planned.ways(),
        turns=turns,
        calls=world.calls,
    )


def _reason(reason: Any) -> str:
    return "" if reason is None else f"{reason['error']}: {reason['message'][:200]}"


def _over(world: World) -> bool:
    """Whether nothing is under way any more: no execution, no event on its way, no asynchronous invocation."""
    aws = world.stack.aws
    machines = stepfunctions_parser_backends[ACCOUNT][aws.region].state_machines
    if any(execution.status == "RUNNING" for machine in machines for execution in list(machine.executions)):
        return False  # a look into moto, since a call would be a thousand times as dear, and this asks often
    try:
        aws.dispatch.settle(0.01)
    except TimeoutError:
        return False
    executions = world.application.executions(world.name)
    if not executions or any(each["status"] == "RUNNING" for each in executions):
        return False
    arn = world.stack.outputs["AftermathArn"]
    return not world.application.states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]


class Patience:
    """Waits as long as the run gets on, and so as long as a loaded machine makes it take."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls, self._since = -1, 0.0

    def wait(self) -> None:
        """Until nothing is under way any more, or the run is stuck: the oracle tells what is missing then."""
        self._since = time.monotonic()
        while not _over(self._world) and self._gets_on():
            time.sleep(0.05)

    def _gets_on(self) -> bool:
        calls = self._world.calls
        if calls != self._calls:
            self._calls, self._since = calls, time.monotonic()
        return calls <= MOST_CALLS and time.monotonic() - self._since < QUIET_SECONDS
