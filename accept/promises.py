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

from accept.stack import LOOK_SECONDS, DeployedStack

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
        self.kept: list[Kept] = []

    def go(self, train: bytes, test: bytes, recipe: bytes) -> list[Kept]:
        """Walk through all promises, and put away what the walk made, whatever happens."""
        word = uuid.uuid4().hex[:8]
        good, bad, stray = f"accept-{word}", f"accept-bad-{word}", f"accept-stray-{word}"
        subscription = ""
        try:
            self._queue, subscription = self._stack.listen()
            self._stack.drop(bad, {"train.jsonl": b'{"messages": []}\n'})
            self._stack.drop(stray, {"Train.JSONL": b"{}\n"})
            self._check("a dataset that cannot be trained on is rejected, with the reason", lambda: self._rejected(bad))
            self._check("an upload that starts no run is told of", lambda: self._ignored(stray))
            self._stack.drop(good, {"train.jsonl": train, "test.jsonl": test, "recipe.yaml": recipe})
            self._tell(f"{good} was dropped; from the training on it costs money")
            self._check("an upload ends in one notice with a verdict", lambda: self._ended(good))
            self._check("one upload is one run", lambda: self._one_run(good))
            self._check("the API shows the run as the notice tells it", lambda: self._in_the_api(good))
            self._check("the report lies where the notice says", lambda: self._report(good))
            self._check("every alarm tells the operators, and none went off", self._alarms)
        except (ClientError, BotoCoreError) as error:
            self._note("the walk could be made", kept=False, found=str(error))
        finally:
            self._put_away(subscription, good, bad, stray)
        return self.kept

    def _check(self, promise: str, look: Callable[[], str]) -> None:
        try:
            found, kept = look(), True
        except (Broken, ClientError, BotoCoreError, OSError, KeyError, ValueError) as error:
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
                raise Broken(f"no notice of {what} came within {seconds:.0f} s")
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
            lambda each: each["event"] == "upload_ignored" and name in json.dumps(each),
        )
        return str(notice["event"])

    def _ended(self, name: str) -> str:
        notice = self._end(name, self._patience)
        if notice["status"] != "SUCCEEDED":
            raise Broken(f"the run ended {notice['status']}: {notice.get('reason')}")
        return f"{notice['run_id']}: {notice['evaluation']['verdict']}"

    def _one_run(self, name: str) -> str:
        notice = self._end(name, 0)
        self._notices += self._stack.received(self._queue)
        own = [each for each in self._notices if each.get("name") == name and each["event"] == "run_ended"]
        ends = {each["notice_id"] for each in own}
        if len(ends) != 1:
            raise Broken(f"expected one end, got {len(ends)}")
        return str(notice["run_id"])

    def _in_the_api(self, name: str) -> str:
        notice = self._end(name, 0)
        shown = self._stack.ask_api(f"/runs/{notice['run_id']}")
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

    def _alarms(self) -> str:
        pages = (
            self._stack.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{self._stack.name}-")
        )
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        topic = self._stack.outputs["OperationsTopicArn"]
        silent = [each["AlarmName"] for each in alarms if topic not in each["AlarmActions"]]
        loud = [each["AlarmName"] for each in alarms if each["StateValue"] == "ALARM"]
        if not alarms or silent or loud:
            raise Broken(f"{len(alarms)} alarms; tell nobody: {silent}; went off: {loud}")
        return f"{len(alarms)} alarms"

    def _put_away(self, subscription: str, *names: str) -> None:
        self._tell("putting away the queue, its subscription and the uploads; runs, reports and the tuned model stay")
        for name in names:
            with suppress(ClientError, BotoCoreError):
                self._stack.remove_upload(name)
        if subscription:
            with suppress(ClientError, BotoCoreError):
                self._stack.client("sns").unsubscribe(SubscriptionArn=subscription)
        if self._queue:
            with suppress(ClientError, BotoCoreError):
                self._stack.client("sqs").delete_queue(QueueUrl=self._queue)
