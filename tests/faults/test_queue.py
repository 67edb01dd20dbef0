"""Runs of several teams that contend for two jobs, their processes dying: no slot lost, no third job, none forgotten.

What runs is the states' own code, on a table and a service in memory: AwaitTurn, SubmitJob's submission, what PollJob
does once a job has ended well, the release of a run that was stopped, and the sweep.
"""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.unit.states.simulated_service import Clock, SimulatedService
from tunedrop import clock as tunedrop_clock
from tunedrop.outcomes import RunReleased, Status, Transient
from tunedrop.queue.line import Line
from tunedrop.recipe_resolution import resolve
from tunedrop.resources import Resources
from tunedrop.run.execution import PipelineExecution
from tunedrop.run.record import RunRecord
from tunedrop.run.store import RunStore
from tunedrop.states import await_turn as awaiting
from tunedrop.states.release_run import Releaser
from tunedrop.states.submit_job import Submission
from tunedrop.training.backend import Full, JobRequest, JobStatus

JOBS = 2
RUNS = 8
TEAMS = ("red", "red", "red", "blue", "green")
TICK_SECONDS = 20
MOST_TICKS = 600
CALLS = {"get_item", "put_item", "update_item", "batch_get_item"}


class Killed(BaseException):
    """The process is gone: nothing after this happens in it, `finally` included."""


class MachineClock(Clock):
    """The clock of the machines on which states run. It may jump; the clock of the service does not."""

    def __init__(self) -> None:
        super().__init__()
        self.of_service = Clock()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.of_service.sleep(seconds)

    def jump(self, seconds: float) -> None:
        super().sleep(seconds)


class Weather:
    """DynamoDB as a process has it that is killed around a call, or whose calls fail or lose their answer."""

    def __init__(self, client: Any, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self.share = 0.0
        self.dead = False
        self.hits: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return (lambda **arguments: self._called(method, arguments)) if name in CALLS else method

    def _called(self, method: Any, arguments: Any) -> Any:
        if self.dead:
            raise Killed
        self._perhaps("before", method.__name__)
        answer = method(**arguments)
        self._perhaps("after", method.__name__)
        return answer

    def _perhaps(self, when: str, call: str) -> None:
        if self._chance.random() >= self.share:
            return
        kind = self._chance.choice(("killed", "failed"))
        self.hits[f"{kind} {when}"] += 1
        if kind == "killed":
            self.dead = True
            raise Killed
        told = {"Error": {"Code": "InternalServerError", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 500}}
        raise ClientError(told, call)  # type: ignore[arg-type] # a part of an answer


class FewJobs(SimulatedService):
    """A service that takes so many jobs at once; 0 for any number."""

    def __init__(self, clock: Clock, quota: int) -> None:
        super().__init__(clock)
        self.quota = quota
        self.most = 0
        self.refused = 0

    def create(self, request: JobRequest) -> Any:
        if self.quota and len(self.training) >= self.quota:
            self.refused += 1
            raise Full("HTTP 429: too many active jobs")
        job = super().create(request)
        self.most = max(self.most, len(self.training))
        return job


@dataclass
class Driven:
    """One run: the state that is next, and when."""

    run_id: str
    state: str = "AwaitTurn"
    at: float = 0.0
    stops_at: float | None = None


class World:
    """A table, a service, and the runs that contend for it, all drawn from a seed."""

    def __init__(self, seed: int, clock: MachineClock, client: Any) -> None:
        self.chance = random.Random(f"queue {seed}")
        self.clock = clock
        told = self.chance.random() < 0.5
        self.service = FewJobs(clock.of_service, 0 if told else JOBS)
        self.weather = Weather(client, self.chance)
        self.resources = Resources()
        self.resources.dynamodb = self.weather  # type: ignore[assignment] # all that is called
        self.resources.settings = SimpleNamespace(  # type: ignore[assignment] # all that is read
            api_table="api", jobs_at_once=JOBS if told else 0, first_poll_seconds=TICK_SECONDS, later_poll_seconds=60
        )
        self.store = RunStore(self.weather, "runs")  # type: ignore[arg-type] # all that is called
        self.resources.runs = self.store
        self.runs = [self._run(seed, number) for number in range(RUNS)]
        self.weather.share = self.chance.choice((0.0, 0.02, 0.05, 0.1))

    def _run(self, seed: int, number: int) -> Driven:
        run_id = f"run-{seed}-{number}"
        recipe = resolve({"queue": {"priority": self.chance.randrange(3)}}, "us-west-2")
        now = tunedrop_clock.now_text()
        record = RunRecord(
            run_id=run_id,
            name=run_id,
            execution_arn=f"arn:aws:states:us-west-2:123456789012:execution:p:{run_id}",
            status=Status.RUNNING,
            started_at=now,
            updated_at=now,
            team=self.chance.choice(TEAMS),
            recipe_document=recipe.model_dump(mode="json"),
            grader_arn="arn:aws:lambda:us-west-2:123456789012:function:grader:1",
        )
        self.store.register(record)
        stops_at = self.chance.uniform(0, 900) if self.chance.random() < 0.25 else None
        return Driven(run_id, at=self.chance.uniform(0, 100), stops_at=stops_at)

    @property
    def left(self) -> list[Driven]:
        return [run for run in self.runs if run.state != "Ended"]

    def go_on(self, now: float) -> None:
        """One turn of all runs whose time has come, in any order; some are run twice, as by a late retry."""
        due = [run for run in self.left if run.at <= now]
        self.chance.shuffle(due)
        for run in due:
            if run.stops_at is not None and run.stops_at <= now and run.state != "ConcludeRun":
                run.state, run.stops_at = "ReleaseRun", None
            state = {
                "AwaitTurn": self.await_turn,
                "SubmitJob": self.submit_job,
                "PollJob": self.poll_job,
                "ConcludeRun": self.conclude_run,
                "ReleaseRun": self.release_run,
            }[run.state]
            for _ in range(2 if self.chance.random() < 0.1 else 1):
                self.weather.dead = False
                run.at = now + TICK_SECONDS
                try:
                    state(run, now)
                except (Killed, Transient):
                    continue
                except RunReleased:
                    run.state = "ReleaseRun"
                except ClientError:
                    continue  # what passes: the state is run again

    def await_turn(self, run: Driven, now: float) -> None:
        turn = awaiting.run({"run_id": run.run_id, "told": []}, self.resources)
        run.state = "SubmitJob" if turn.decision == "go" else "AwaitTurn"
        run.at = now + turn.wait_seconds

    def submit_job(self, run: Driven, now: float) -> None:
        submission = Submission(self.store, self.service, lease_seconds=15, list_lag_seconds=0, sleep=self.clock.sleep)
        try:
            submission.submit(run.run_id, lambda: io.BytesIO(b"{}\n"))
        except Full:
            self.resources.turns(self.store.load(run.run_id)).refused(run.run_id)
            run.state, run.at = "AwaitTurn", now + 2 * TICK_SECONDS
            return
        run.state, run.at = "PollJob", now + self.chance.uniform(20, 400)

    def poll_job(self, run: Driven, now: float) -> None:
        record = self.store.load(run.run_id)
        if record.releasing_at is not None:
            raise RunReleased(run.run_id)
        self.service.end(record.job_id or "", JobStatus.SUCCEEDED, tuned_model="model")
        self.resources.turns(record).leave([run.run_id], well=True)
        run.state = "ConcludeRun"

    def conclude_run(self, run: Driven, now: float) -> None:
        self.store.close(run.run_id, {"status": Status.SUCCEEDED, "notice": {"Message": "over"}})
        run.state = "Ended"

    def release_run(self, run: Driven, now: float) -> None:
        record = self.store.load(run.run_id)
        releaser = Releaser(
            self.store,
            lambda _: self.service,
            list_lag_seconds=0,
            leave_queue=lambda each: self.resources.turns(each).leave([each.run_id]),
        )
        ended = PipelineExecution(
            record.execution_arn, "ABORTED", {"run_id": run.run_id}, None, None, tunedrop_clock.now_text()
        )
        if releaser.release(ended).decision != "wait":
            run.state = "Ended"

    def line(self) -> Line:
        answer = self.weather._client.get_item(TableName="api", Key={"id": {"S": "queue/open_weight"}})
        return Line.of_text(answer["Item"]["text"]["S"]) if "Item" in answer else Line()


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-west-2")
        for table, key in (("runs", "run_id"), ("api", "id")):
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def shaken(seed: int, client: Any, clock: MachineClock) -> tuple[World, list[str]]:
    """Take the runs of a seed to their ends; what does not hold, as sentences."""
    client.delete_item(TableName="api", Key={"id": {"S": "queue/open_weight"}})
    world = World(seed, clock, client)
    found = []
    for tick in range(MOST_TICKS):
        if not world.left:
            break
        world.go_on(tick * TICK_SECONDS)
        clock.sleep(TICK_SECONDS)
        if world.chance.random() < 0.02:
            clock.jump(world.chance.choice((-300, 300)))  # the clocks of two machines differ
        if len(world.line().slots) > JOBS and world.service.quota == 0:
            found.append(f"{len(world.line().slots)} slots are taken")
    found += [f"{run.run_id} never came to its end: {run.state}" for run in world.left]
    if world.service.most > JOBS:
        found.append(f"{world.service.most} jobs trained at once")
    found += [f"{job.id} still trains" for job in world.service.training]
    made = Counter(job.training_file for job in world.service.jobs.values())
    found += [f"{number} jobs of {file}" for file, number in made.items() if number > 1]
    world.weather.share, world.weather.dead = 0.0, False
    world.resources.turns_of("open_weight").heal()  # type: ignore[arg-type] # its name
    line = world.line()
    found += [f"{run_id} is left in the queue" for run_id in (*line.slots, *line.waiting)]
    return world, found


@pytest.mark.prove
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(50), id="50 seeds"),
        pytest.param(range(50, 300), id="250 seeds", marks=pytest.mark.exhaustive),
    ],
)
def test_no_slot_is_lost_no_third_job_trains_and_no_run_is_forgotten(
    tables: Any, monkeypatch: pytest.MonkeyPatch, seeds: range
) -> None:
    clock = MachineClock()
    monkeypatch.setattr(tunedrop_clock, "now", clock.now)
    hits: Counter[str] = Counter()
    refused = ended = 0
    for seed in seeds:
        world, found = shaken(seed, tables, clock)
        assert found == [], f"seed {seed}"
        hits.update(world.weather.hits)
        refused += world.service.refused
        ended += len(world.runs)
    print(f"{len(seeds)} seeds, {ended} runs, {sum(hits.values())} faults {dict(hits)}, {refused} refusals")  # noqa: T201 - the measure
    assert {"killed before", "killed after", "failed before", "failed after"} == set(hits)
    assert refused > 0


@pytest.mark.prove
def test_the_oracle_sees_a_third_job(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MachineClock()
    monkeypatch.setattr(tunedrop_clock, "now", clock.now)
    monkeypatch.setattr(Line, "free", lambda *_: 99)
    told = [sentence for seed in range(4) for sentence in shaken(seed, tables, clock)[1]]
    assert any("jobs trained at once" in each for each in told)
