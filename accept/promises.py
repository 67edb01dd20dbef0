"""The README's promises, each looked at on a deployed stack."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from accept.stack import LOOK_SECONDS, ApiUnreachable, DeployedStack

SOON_SECONDS = 900
"""How long a notice may take that no training has to be waited for."""


class Broken(Exception):
    """A promise is not kept: what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One promise: whether it is kept, and what was found."""

    promise: str
    kept: bool
    found: str


class Walk:
    """One walk through a stack. `train`: 100 rows and more; `test`: rows that are not among them."""

    def __init__(
        self, stack: DeployedStack, *, patience_seconds: float, tell: Callable[[str], None], look: float = LOOK_SECONDS
    ) -> None:
        self._stack = stack
        self._patience = patience_seconds
        self._tell = tell
        self._look = look
        self._notices: list[dict[str, Any]] = []
        self._queue = ""
        self._subscriptions: list[str] = []
        self._made: list[str] = []
        """Prefixes of the dataset bucket below which all is the walk's own."""
        self._started: dict[str, str] = {}
        """The run that was started through the API, by its name."""
        self.kept: list[Kept] = []

    def go(self, train: bytes, test: bytes, recipe: bytes) -> list[Kept]:
        """Walk through all promises, and put away what the walk made, whatever happens."""
        word = uuid.uuid4().hex[:8]
        good, bad, stray, stopped = (f"accept-{kind}{word}" for kind in ("", "bad-", "stray-", "stopped-"))
        pointer = f"{self._stack.outputs['ParameterPath']}/accept-{word}"
        self._made += [f"inbox/{name}/" for name in (good, bad, stray)]
        recipe += f"promotion: {{parameter: {pointer}}}\n".encode()
        try:
            self._listen()
            self._stack.drop(bad, {"train.jsonl": b'{"messages": []}\n'})
            self._stack.drop(stray, {"Train.JSONL": b"{}\n"})
            self._check("a dataset that cannot be trained on is rejected, with the reason", lambda: self._rejected(bad))
            self._check("an upload that starts no run causes a notice", lambda: self._ignored(stray))
            self._check(
                "a request that is sent again with its Idempotency-Key starts nothing more",
                # With the rows of both files, so that some are left to test on, and it is not rejected before the stop.
                lambda: self._started_once(stopped, train + test),
            )
            self._check("a stopped run ends CANCELLED, and its notice says so", lambda: self._stopped(stopped))
            self._stack.drop(good, {"train.jsonl": train, "test.jsonl": test, "recipe.yaml": recipe})
            self._tell(f"{good} was dropped; from the training on it costs money")
            self._check("an upload ends in one notice with a verdict", lambda: self._ended(good))
            self._check("one upload is one run", lambda: self._one_run(good))
            self._check("the API shows the run as the notice tells it", lambda: self._in_the_api(good))
            self._check("the report is where the notice says", lambda: self._report(good))
            self._check(
                "a model is promoted when it is better, and only then", lambda: self._promoted_as_told(good, pointer)
            )
            self._check("every alarm reaches the operators, and none went off", self._alarms)
            self._check("an alarm that goes off reaches the operators", self._alarm_heard)
        except (ClientError, BotoCoreError) as error:
            self._note("the walk could be made", kept=False, found=str(error))
        finally:
            self._put_away(pointer)
        return self.kept

    def _listen(self) -> None:
        self._queue = self._stack.queue()
        for topic in ("NoticesTopicArn", "OperationsTopicArn"):
            self._subscriptions.append(self._stack.subscribe(self._queue, topic))

    def _check(self, promise: str, look: Callable[[], str]) -> None:
        try:
            found, kept = look(), True
        except (
            Broken,
            ApiUnreachable,
            ClientError,
            BotoCoreError,
            OSError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            found, kept = f"{type(error).__name__}: {error}", False
        self._note(promise, kept=kept, found=found)

    def _note(self, promise: str, *, kept: bool, found: str) -> None:
        self.kept.append(Kept(promise, kept, found[:1000]))
        self._tell(f"{'KEPT  ' if kept else 'BROKEN'} {promise}: {found[:300]}")

    def _wait(self, what: str, seconds: float, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            self._notices += self._stack.received(self._queue)
            if found := [notice for notice in self._notices if wanted(notice)]:
                return found[0]
            if time.monotonic() > deadline:
                raise Broken(f"no message of {what} came within {seconds:.0f} s")
            time.sleep(self._look)

    def _end(self, name: str, seconds: float) -> dict[str, Any]:
        return self._wait(
            f"the end of {name}", seconds, lambda each: each.get("name") == name and each.get("event") == "run_ended"
        )

    def _rejected(self, name: str) -> str:
        notice = self._end(name, SOON_SECONDS)
        if notice["status"] != "REJECTED" or not notice["reason"]["message"]:
            raise Broken(f"expected REJECTED with a reason, got {notice['status']}: {notice.get('reason')}")
        return str(notice["reason"]["message"])

    def _ignored(self, name: str) -> str:
        notice = self._wait(
            f"the upload {name}",
            SOON_SECONDS,
            lambda each: each.get("event") == "upload_ignored" and name in json.dumps(each),
        )
        return str(notice["event"])

    def _started_once(self, name: str, train: bytes) -> str:
        """Three requests with one key: the same twice, then another one. Leaves one run, which the next check stops."""
        upload, place = self._stack.upload(train)
        self._made.append(place)
        body = {"name": name, "dataset": {"upload_id": upload}}
        key = {"Idempotency-Key": name}
        first, again = (self._stack.ask_api("POST", "/runs", body, **key).wanted(202)["run_id"] for _ in range(2))
        self._started[name] = str(first)
        other = self._stack.ask_api("POST", "/runs", {**body, "labels": {"another": "body"}}, **key)
        if first != again or other.status != 409:
            raise Broken(f"expected one run and then HTTP 409, got {first}, {again} and HTTP {other.status}")
        return f"{first}, twice; another body with its key: HTTP 409"

    def _stopped(self, name: str) -> str:
        run_id = self._started.get(name)
        if run_id is None:
            raise Broken("no run was started through the API that could be stopped")
        deadline = time.monotonic() + SOON_SECONDS
        while (answer := self._stack.ask_api("POST", f"/runs/{run_id}/stop")).status == 409:
            # Its execution has not begun yet; a run that has ended says so, and stays so.
            if time.monotonic() > deadline or "run-ended" in str(answer.body):
                break
            time.sleep(self._look)
        if answer.status >= 300:
            raise Broken(f"the API did not stop {run_id}: HTTP {answer.status}: {answer.body}")
        notice = self._end(name, SOON_SECONDS)
        if notice["status"] != "CANCELLED":
            raise Broken(f"expected CANCELLED, got {notice['status']}: {notice.get('reason')}")
        return f"{run_id} is CANCELLED: {notice['reason']['message']}"

    def _ended(self, name: str) -> str:
        notice = self._end(name, self._patience)
        if notice["status"] != "SUCCEEDED":
            raise Broken(f"the run ended {notice['status']}: {notice.get('reason')}")
        return f"{notice['run_id']}: {notice['evaluation']['verdict']}"

    def _one_run(self, name: str) -> str:
        notice = self._end(name, 0)
        self._notices += self._stack.received(self._queue)
        own = [each for each in self._notices if each.get("name") == name and each.get("event") == "run_ended"]
        ends = {each["notice_id"] for each in own}
        if len(ends) != 1:
            raise Broken(f"expected one end, got {len(ends)}")
        return str(notice["run_id"])

    def _in_the_api(self, name: str) -> str:
        notice = self._end(name, 0)
        shown = self._stack.ask_api("GET", f"/runs/{notice['run_id']}").wanted(200)
        if (shown["run_id"], shown["status"]) != (notice["run_id"], notice["status"]):
            raise Broken(f"expected {notice['status']}, the API shows {shown}")
        return f"{shown['run_id']} is {shown['status']}"

    def _report(self, name: str) -> str:
        uri = str(self._end(name, 0)["report_uri"])
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        size = self._stack.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"]
        if not size:
            raise Broken(f"{uri} is empty")
        return f"{uri}, {size:,} bytes"

    def _promoted_as_told(self, name: str, pointer: str) -> str:
        notice = self._end(name, 0)
        told = notice["promotion"]
        found = self._stack.client("ssm").get_parameters(Names=[pointer])["Parameters"]
        value = found[0]["Value"] if found else None
        evaluation = notice["evaluation"] or {"verdict": "none", "suspected_reward_hacking": False}
        better = evaluation["verdict"] == "improved" and not evaluation["suspected_reward_hacking"]
        wanted = notice["tuned_model"] if better else None
        if told["done"] != better or value != wanted:
            raise Broken(f"the notice says {told}; {pointer} should hold {wanted}, and holds {value}")
        return f"{pointer} is {value}" if better else f"not promoted: {told['why_not']}"

    def _alarms(self) -> str:
        alarms, topic = self._described(), self._stack.outputs["OperationsTopicArn"]
        silent = [each["AlarmName"] for each in alarms if topic not in each["AlarmActions"]]
        loud = [each["AlarmName"] for each in alarms if each["StateValue"] == "ALARM"]
        if not alarms or silent or loud:
            raise Broken(f"{len(alarms)} alarms; tell nobody: {silent}; went off: {loud}")
        return f"{len(alarms)} alarms"

    def _alarm_heard(self) -> str:
        """CloudWatch runs the alarm's real actions; its own next look at the metric puts the state back."""
        name = next(each["AlarmName"] for each in self._described() if "RunsFailedAlarm" in each["AlarmName"])
        self._stack.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue="ALARM", StateReason="make accept tries whether this alarm reaches the operators"
        )
        try:
            self._wait(
                f"alarm {name}",
                SOON_SECONDS,
                lambda each: each.get("AlarmName") == name and each.get("NewStateValue") == "ALARM",
            )
        finally:
            self._stack.client("cloudwatch").set_alarm_state(
                AlarmName=name,
                StateValue="OK",
                StateReason="make accept has tried whether this alarm reaches the operators",
            )
        return f"{name}, set off by hand, came through the operators' topic"

    def _described(self) -> list[dict[str, Any]]:
        pages = (
            self._stack.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{self._stack.name}-")
        )
        return [alarm for page in pages for alarm in page["MetricAlarms"]]

    def _put_away(self, pointer: str) -> None:
        self._tell(
            "putting away the queue, its subscriptions, the files and the promotion's parameter; runs, reports and "
            "the tuned model stay"
        )
        for prefix in self._made:
            with suppress(ClientError, BotoCoreError):
                self._stack.remove(prefix)
        for subscription in self._subscriptions:
            with suppress(ClientError, BotoCoreError):
                self._stack.client("sns").unsubscribe(SubscriptionArn=subscription)
        if self._queue:
            with suppress(ClientError, BotoCoreError):
                self._stack.client("sqs").delete_queue(QueueUrl=self._queue)
        with suppress(ClientError, BotoCoreError):
            self._stack.client("ssm").delete_parameters(Names=[pointer, f"{pointer}/previous"])
