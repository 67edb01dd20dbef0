"""One embedded AWS with its local Bedrock in which runs are made, one after the other, each under its own faults."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded_aws.calls import Call, CallRefused
from embedded_aws.events.faults import Held
from embedded_aws.lambdas.errors import InvokeRefused, Outcome, exited, timed_out
from embedded_aws.lambdas.pool import WARM_LIMIT
from local.command.subscriber import subscribe
from local.stack import LocalStack
from tests.faults import schedule
from tests.faults.datasets import MATHS, OTHER_RECIPE, RECIPE, tool_calls
from tests.faults.moments import arm_moment
from tests.faults.schedule import Fault, Schedule
from tests.workflow.pipeline.application import QUICK, Application

SPEED = 30.0
"""Seconds of the product's clock, of the Wait states and of the retries' delays, a real second."""

PARAMETERS = {"SettleSeconds": 9, "FirstPollSeconds": 10, "LaterPollSeconds": 10, "ListLagSeconds": 12}
"""Bedrock's lists may lag by 12 s of the product's clock: 0.4 real ones; the schedules ask for at most 0.25."""

SWITCHES = {**QUICK, "hang_seconds": 1.0, "grader_backoff_seconds": 0.05, "deploying_seconds": 0.2}
SLOW_SECONDS = 0.5
QUIET_SECONDS = 100
"""How long, in real seconds, a run may go without a call of AWS: the longest Wait and retry's delay are 10 of them."""

MOST_CALLS = 3000
"""How many calls of AWS a run may make in all: one that turns in a circle ends here, however slow the machine is."""

CODES = {
    "dynamodb": ("ThrottlingException", "InternalServerError"),
    "s3": ("SlowDown", "InternalError"),
    "sns": ("Throttled", "InternalError"),
    "states": ("ThrottlingException", "ServiceUnavailable"),
    "lambda": ("TooManyRequestsException", "ServiceException"),
}
"""What each service calls a throttle, and a failure of its own."""

OF_STATE_MACHINES = {"dynamodb", "sns", "lambda", "ssm"}
"""The sessions of the state machines' own calls: Step Functions calls each service in a session of its own."""


THROTTLE_STATUS = {"lambda": 429, "s3": 503}
"""Other than 400; S3's: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""


def refusal(service: str, kind: str) -> CallRefused:
    """The error with which a service refuses a call."""
    throttle, failure = CODES[service]
    if kind == "throttled":
        return CallRefused(throttle, "Rate exceeded", THROTTLE_STATUS.get(service, 400))
    return CallRefused(failure, "The service failed", 503 if kind == "503" else 500)


class Occasions:
    """Which of a fault's occasions it takes: it lets some pass, then takes as many as it has times."""

    def __init__(self, fault: Fault) -> None:
        self._lock = threading.Lock()
        self._pass, self._left = fault.skip, fault.times
        # Who is killed begins anew: it is to come as far as the one before it.
        self._between = fault.skip if fault.kind == "killed between" else 0

    def taken(self) -> bool:
        """Whether the fault happens now; asked once an occasion, by any thread."""
        with self._lock:
            if self._pass > 0:
                self._pass -= 1
                return False
            self._left -= 1
            self._pass = self._between
            return self._left >= 0


class World:
    """The stack, with what makes its weather. `hits` counts the faults that really happened, by kind."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.stack = stack
        clients = stack.aws.client("sqs"), stack.aws.client("sns")
        queue_url = subscribe(*clients, stack.outputs["NoticesTopicArn"], "everything")
        self.application = Application(stack, queue_url)
        self.hits: Counter[str] = Counter()
        self._weather_file = folder / "weather.json"
        self._weather: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._watching: list[Callable[[], object]] = []
        self._held: list[Held] = []
        self._undone: list[Callable[[], None]] = []
        self._timers: list[threading.Timer] = []
        self.calls = 0
        """Calls that the application has made since `begin`."""
        stack.aws.calls.observe(self._count)
        self.name = ""
        self._dataset = MATHS
        self.set_weather(fresh=True)

    def set_weather(self, *, fresh: bool = False, **changes: Any) -> None:
        """What the functions' processes see from now on."""
        if fresh:
            self._weather = {"speed": SPEED, "since": time.time(), "jump": 0.0, "disk_full": False}
        self._weather.update(changes)
        unfinished = self._weather_file.with_suffix(".new")
        unfinished.write_text(json.dumps(self._weather))
        unfinished.replace(self._weather_file)

    def drop(self, planned: Schedule) -> str:
        """Drop the dataset of a run; its name."""
        self._dataset = tool_calls() if planned.tools else MATHS
        train = self._dataset.train
        if planned.broken_line:
            train = train.replace(b'"messages"', b'"massages"', 1)
        files = {"test.jsonl": self._dataset.test, "recipe.yaml": self._recipe(RECIPE), "train.jsonl": train}
        order = ["train.jsonl", "recipe.yaml", "test.jsonl"] if planned.shuffled_upload else list(files)
        client = self.stack.aws.client("s3")
        for file in order:
            key = f"inbox/{self.name}/{file}"
            client.put_object(Bucket=self.stack.outputs["DatasetBucketName"], Key=key, Body=files[file])
        return self.name

    def _recipe(self, text: str) -> bytes:
        return (text + self._dataset.grader).encode()

    def begin(self, planned: Schedule) -> None:
        """Make everything as new, and let the faults of the schedule come."""
        self.name = f"seed-{planned.seed}"
        self.hits.clear()
        self.calls = 0
        self.set_weather(fresh=True)
        self._forget_refusals()
        shown = dict([planned.thoughts]) if planned.thoughts else {}
        self.stack.bedrock.forget({**SWITCHES, "list_lag_seconds": planned.list_lag_seconds, **shown})
        plan = [_entry(fault) for fault in planned.faults if fault.what.startswith("bedrock:")]
        self.stack.bedrock.set_switch("fault_plan", ",".join(plan))
        self._befallen_before = Counter(self.stack.bedrock.befallen())
        calls = [each for each in planned.faults if each.kind not in schedule.MOMENT_KINDS]
        watchers = [self._watcher(fault) for fault in calls if ":" in fault.what or "between" in fault.kind]
        self._watching = [self.stack.aws.calls.observe(watch) for watch in watchers if watch is not None]
        for fault in planned.faults:
            if fault.what == "events":
                self._arm_event(fault)
            elif fault.kind in schedule.MOMENT_KINDS:
                arm_moment(self, fault, random.Random(planned.seed))
            elif fault.kind in schedule.GRADER_KINDS:
                self._arm_grader(fault)
            elif fault.kind in schedule.LAMBDA_KINDS and ":" not in fault.what and fault.kind != "killed between":
                self._arm_function(fault)

    def _forget_refusals(self) -> None:
        """The clock begins anew: what refusals taught an earlier run, at a later time, would hold this one up."""
        for family in ("open_weight", "nova"):
            self.stack.aws.client("dynamodb").delete_item(
                TableName=self.stack.resources["ApiTable"], Key={"id": {"S": f"queue/{family}"}}
            )

    def clear(self) -> None:
        """The weather clears: no new fault happens, and what was held back comes."""
        for timer in self._timers:
            timer.cancel()
            timer.join()
        self._timers.clear()
        for stop in self._watching:
            stop()
        self._watching.clear()
        befallen = Counter(self.stack.bedrock.befallen()) - self._befallen_before
        for what, times in befallen.items():
            _, when, kind = what.split(":")
            self.hits[f"bedrock {kind} {when}"] += times
        for name, value in (("fault_plan", ""), ("keys_expired", False), ("list_lag_seconds", 0)):
            self.stack.bedrock.set_switch(name, value)
        self.stack.aws.functions.faults.clear()
        self.stack.aws.dispatch.faults.clear()
        for undo in self._undone:
            undo()
        self._undone.clear()
        for held in self._held:
            held.release()
        self._held.clear()
        self.set_weather(disk_full=False, jump=0.0)

    def hit(self, kind: str) -> None:
        with self._lock:
            self.hits[kind] += 1

    def _count(self, call: Call) -> None:
        if call.caller is not None:  # the test's own calls are no progress
            with self._lock:
                self.calls += 1

    def _function(self, logical_id: str) -> str:
        return self.application.function(logical_id)

    def _watcher(self, fault: Fault) -> Callable[[Call], None] | None:
        """What makes calls of the APIs go wrong."""
        if fault.what.startswith("bedrock:"):
            return None
        if fault.kind == "killed between":
            return self._killer(fault)
        occasions, what = Occasions(fault), fault.what

        def watch(call: Call) -> None:
            if f"{call.service}:{call.action}" != what or call.caller is None:
                return  # the test's own calls go well
            if "reset" in fault.kind and call.caller.session in OF_STATE_MACHINES:
                return  # Step Functions sees no connection: to it such a call is an error of the service
            if not occasions.taken():
                return
            self.hit(f"{call.service} {fault.kind}")
            if fault.kind == "slow":
                time.sleep(SLOW_SECONDS)
            elif fault.kind == "reset after":
                self.stack.aws.calls.lose_answer()
            elif fault.kind == "reset before":
                self.stack.aws.calls.lose_answer()
                raise refusal(call.service, "500")
            else:
                raise refusal(call.service, fault.kind)

        return watch

    def _killer(self, fault: Fault) -> Callable[[Call], None]:
        """Kills the function at one of its calls, every second time after the call was carried out."""
        function, occasions = self._function(fault.what), Occasions(fault)

        def watch(call: Call) -> None:
            if call.caller is None or call.caller.session != function or not occasions.taken():
                return
            self.hit("function killed between")
            self.stack.aws.functions.pool.kill(function)
            if fault.skip % 2:
                raise CallRefused("InternalError", "its caller is dead", 500)

        return watch

    def _arm_function(self, fault: Fault) -> None:
        faults, function = self.stack.aws.functions.faults, self._function(fault.what)
        kind, occasions = f"function {fault.kind}", Occasions(fault)

        def before(*_: object) -> None:
            if occasions.taken():
                self.hit(kind)
                if fault.kind == "throttled":
                    raise InvokeRefused("TooManyRequestsException", "Rate Exceeded.", 429)
                raise InvokeRefused("ServiceException", "The service failed.", 500)

        def after(configuration: Any, invocation: Any, outcome: Outcome) -> Outcome:
            if not occasions.taken():
                return outcome
            self.hit(kind)
            if fault.kind == "timed out":
                return timed_out(invocation.request_id, configuration.timeout_seconds)
            return exited(invocation.request_id, -9)

        def never_ran(configuration: Any, invocation: Any) -> None:
            if occasions.taken():
                self.hit(kind)
                # What a process that is killed at once looks like to its caller.
                threading.Timer(0.01, lambda: self.stack.aws.functions.pool.kill(function)).start()

        if fault.kind in ("throttled", "500"):
            faults.before(function, before, times=10_000)
        elif fault.kind == "killed before":
            faults.before(function, never_ran, times=10_000)
        else:
            faults.after(function, after, times=10_000)

    def _arm_grader(self, fault: Fault) -> None:
        function, occasions = self._function("GraderPlain"), Occasions(fault)

        def lie(configuration: Any, invocation: Any, outcome: Outcome) -> Outcome:
            if outcome.is_error or not occasions.taken():
                return outcome
            self.hit(f"grader {fault.kind}")
            if fault.kind == "hangs":
                time.sleep(SLOW_SECONDS)
                return timed_out(invocation.request_id, configuration.timeout_seconds)
            return Outcome(_lie(fault.kind, json.loads(outcome.payload)))

        self.stack.aws.functions.faults.after(function, lie, times=10_000)

    def _arm_event(self, fault: Fault) -> None:
        faults, name = self.stack.aws.dispatch.faults, self.name

        def upload(event: Mapping[str, Any]) -> bool:
            of_this = event["source"] == "aws.s3" and event["detail"]["object"]["key"] == f"inbox/{name}/train.jsonl"
            return of_this and self._counted(f"event {fault.kind}")

        def ended(event: Mapping[str, Any]) -> bool:
            of_this = event["source"] == "aws.states" and event["detail"]["status"] != "RUNNING"
            return of_this and self._counted(f"event {fault.kind}")

        if fault.kind == "uploads duplicated":
            faults.duplicate(upload, copies=3)
        elif fault.kind == "upload delayed":
            self._later(1.0, faults.hold(upload))
        elif fault.kind == "end duplicated":
            faults.duplicate(ended, copies=3, times=3)
        elif fault.kind == "end delayed":
            self._held.append(faults.hold(ended, times=2))
        elif fault.kind == "end dropped":
            faults.drop(ended, times=2)

    def _counted(self, kind: str) -> bool:
        self.hit(kind)
        return True

    def _later(self, seconds: float, held: Held) -> None:
        self._held.append(held)
        self.later(seconds, held.release)

    def restart_bedrock(self) -> None:
        """The local Bedrock is killed, and starts again; what befell its calls so far is not forgotten."""
        self._befallen_before -= Counter(self.stack.bedrock.befallen())
        self.stack.bedrock.restart(kill=True)

    def change_recipe(self) -> None:
        """The recipe in the inbox is replaced under way."""
        key, bucket = f"inbox/{self.name}/recipe.yaml", self.stack.outputs["DatasetBucketName"]
        self.stack.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=self._recipe(OTHER_RECIPE))

    def watch(self, watcher: Callable[[Call], None]) -> None:
        """Let it see every call, until the weather clears."""
        self._watching.append(self.stack.aws.calls.observe(watcher))

    def later(self, seconds: float, work: Callable[[], object]) -> None:
        """Do it after so long, unless the weather has cleared by then."""
        timer = threading.Timer(seconds, work)
        self._timers.append(timer)
        timer.start()

    def at_the_latest(self, seconds: float, work: Callable[[], None]) -> None:
        """Do it after so long, or when the weather clears."""
        once = threading.Lock()

        def do() -> None:
            if once.acquire(blocking=False):
                work()

        self._undone.append(do)
        self.later(seconds, do)

    def replay_upload(self) -> None:
        """The event of the upload comes once more, long after its run has ended."""
        for event in list(self.stack.aws.dispatch.events):
            if event["source"] == "aws.s3" and event["detail"]["object"]["key"] == f"inbox/{self.name}/train.jsonl":
                self.stack.aws.dispatch.replay(event)


@contextmanager
def world(region: str, folder: Path, *, warm_limit: int = WARM_LIMIT) -> Iterator[World]:
    """A world in a Region."""
    stack = LocalStack(
        region=region,
        folder=folder,
        switches=SWITCHES,
        stepped_schedules=True,
        retry_delay_factor=1 / SPEED,
        wait_factor=1 / SPEED,
        parameters=PARAMETERS,
        warm_limit=warm_limit,
    )
    stack.aws.functions.environment.update(
        EMBEDDED_AWS_PRELUDE=str(Path(__file__).with_name("prelude.py")),
        TUNEDROP_FAULTS_WEATHER=str(folder / "weather.json"),
    )
    with stack:
        yield World(stack, folder)


def _entry(fault: Fault) -> str:
    _, action, when = fault.what.split(":")
    return f"{action}:{when}:{fault.kind}:{fault.times}"


def _lie(kind: str, answers: list[dict[str, Any]]) -> bytes:
    """The grader's answer to a batch, turned into what no grader should say."""
    if kind == "lies about ids":
        answers = [{**each, "id": f"other-{number}"} for number, each in enumerate(answers)]
    elif kind == "answers NaN":
        answers = [{**each, "aggregate_reward_score": float("nan")} for each in answers]
    elif kind == "answers too few":
        answers = answers[::2]
    else:
        answers = [*answers, *({**each, "id": f"more-{number}"} for number, each in enumerate(answers))]
    return json.dumps(answers).encode()
