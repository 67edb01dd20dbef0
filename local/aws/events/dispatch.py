"""The event bus: takes events, finds the rules that they meet, delivers to each target, again when it fails."""

from __future__ import annotations

import datetime
import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.aws.events import pattern, targets
from local.aws.events.faults import EventFaults
from local.aws.events.service_events import scheduled_event
from local.aws.events.target_input import TargetInputInvalid, input_for
from local.aws.events.targets import Client, DeliveryFailed

LOG = logging.getLogger(__name__)

DEFAULT_RETRIES = 185
"""EventBridge's default of MaximumRetryAttempts.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

DEFAULT_EVENT_AGE_SECONDS = 24 * 3600
"""And of MaximumEventAgeInSeconds."""

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""EventBridge tells of exponential backoff with jitter, not of its numbers; these are ours."""

WORKERS = 8
REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule as it is now: what PutRule and PutTargets made of it."""

    name: str
    arn: str
    enabled: bool
    pattern: Mapping[str, Any] | None
    schedule: str | None
    targets: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event's way to one target, at its end. `problem` is None when the target took it."""

    event: Mapping[str, Any]
    rule: str
    target: str
    attempts: int
    problem: str | None
    dead_lettered: bool = False


Rules = Callable[[], Iterable[RuleView]]


class Dispatch:
    """Delivers events by the rules that exist when they come. Deliveries run in threads of their own."""

    def __init__(
        self,
        *,
        rules: Rules,
        client: Client,
        account: str,
        region: str,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
    ) -> None:
        self._rules = rules
        self._client = client
        self._account = account
        self._region = region
        self._first_retry_seconds = first_retry_seconds
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="dispatch")
        self._closing = threading.Event()
        self._pending = 0
        self._settled = threading.Condition()
        self._taken: deque[str] = deque(maxlen=REMEMBERED)
        self.events: deque[Mapping[str, Any]] = deque(maxlen=REMEMBERED)
        """Every event that came, the newest last."""
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        """Every delivery that has ended, the newest last."""
        self.faults = EventFaults(self.replay)
        self.listeners: list[Callable[[Mapping[str, Any]], None]] = []
        """Called with each event before it is delivered, in the thread of whoever caused it."""

    def publish(self, event: Mapping[str, Any]) -> None:
        """Takes an event onto the default bus. An id that has just been taken is not taken again."""
        with self._settled:
            if event["id"] in self._taken:
                return
            self._taken.append(event["id"])
        self.events.append(event)
        for listener in list(self.listeners):
            listener(event)
        for _ in range(self.faults.copies(event)):
            self.replay(event)

    def replay(self, event: Mapping[str, Any]) -> None:
        """Delivers the event, seen before or not, to every rule that it meets. No fault applies."""
        event = json.loads(json.dumps(event, default=str))
        for rule in self._rules():
            if rule.enabled and rule.pattern is not None and pattern.matches(rule.pattern, event):
                self._deliver_by(rule, event)

    def fire(self, rule_name: str, when: datetime.datetime | None = None) -> None:
        """Has a scheduled rule fire now. Raises KeyError when there is no such rule."""
        rule = next((rule for rule in self._rules() if rule.name == rule_name), None)
        if rule is None:
            raise KeyError(f"no rule {rule_name!r}; there are {', '.join(sorted(rule.name for rule in self._rules()))}")
        moment = when or datetime.datetime.now(datetime.UTC)
        event = scheduled_event(rule.arn, moment, account=self._account, region=self._region)
        self.events.append(event)
        for _ in range(self.faults.copies(event)):
            self._deliver_by(rule, event)

    def settle(self, timeout_seconds: float = 30.0) -> None:
        """Waits until no delivery is under way. Raises TimeoutError."""
        with self._settled:
            if not self._settled.wait_for(lambda: self._pending == 0, timeout_seconds):
                raise TimeoutError(f"{self._pending} deliveries are still under way after {timeout_seconds} s")

    def close(self) -> None:
        self._closing.set()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _deliver_by(self, rule: RuleView, event: Mapping[str, Any]) -> None:
        if self._closing.is_set():
            return
        for target in rule.targets:
            with self._settled:
                self._pending += 1
            try:
                self._workers.submit(self._deliver, rule, target, event)
            except RuntimeError:  # closed in this very moment
                self._ended()

    def _ended(self) -> None:
        with self._settled:
            self._pending -= 1
            self._settled.notify_all()

    def _deliver(self, rule: RuleView, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        try:
            attempts, failure, exhausted = self._attempt(rule, target, event)
            if self._closing.is_set() and failure is not None:
                return
            dead_lettered = False
            if failure is not None:
                about = {"RETRY_ATTEMPTS": str(attempts - 1)}
                if exhausted:
                    about["EXHAUSTED_RETRY_CONDITION"] = exhausted
                dead_lettered = self._bury(rule, target, event, failure, about)
            problem = str(failure) if failure is not None else None
            if failure is not None and not dead_lettered:
                LOG.warning("event %s is lost: rule %s, target %s: %s", event["id"], rule.name, target["Arn"], problem)
            self.deliveries.append(Delivery(event, rule.name, target["Arn"], attempts, problem, dead_lettered))
        except Exception:
            if not self._closing.is_set():
                LOG.exception("delivery of event %s by rule %s broke", event.get("id"), rule.name)
        finally:
            self._ended()

    def _attempt(
        self, rule: RuleView, target: Mapping[str, Any], event: Mapping[str, Any]
    ) -> tuple[int, DeliveryFailed | None, str]:
        """Attempts made, the last failure (None: delivered), and which condition of the retry policy was exhausted."""
        retry = target.get("RetryPolicy", {})
        retries = retry.get("MaximumRetryAttempts", DEFAULT_RETRIES)
        oldest = time.monotonic() + retry.get("MaximumEventAgeInSeconds", DEFAULT_EVENT_AGE_SECONDS)
        attempts = 0
        while True:
            attempts += 1
            try:
                payload = input_for(target, event, {"name": rule.name, "arn": rule.arn})
                targets.deliver(self._client, target, payload, rule_arn=rule.arn, account=self._account)
                return attempts, None, ""
            except TargetInputInvalid as error:
                return attempts, DeliveryFailed("InvalidInput", str(error), lasting=True), ""
            except DeliveryFailed as failure:
                if failure.lasting:
                    return attempts, failure, ""
                if attempts > retries:
                    return attempts, failure, "MaximumRetryAttempts"
                wait = min(LONGEST_RETRY_SECONDS, self._first_retry_seconds * 2 ** min(attempts - 1, 10))
                wait *= random.uniform(0.5, 1.0)
                if time.monotonic() + wait > oldest:
                    return attempts, failure, "MaximumEventAgeInSeconds"
                if self._closing.wait(wait):
                    return attempts, failure, ""

    def _bury(
        self,
        rule: RuleView,
        target: Mapping[str, Any],
        event: Mapping[str, Any],
        failure: DeliveryFailed,
        about: Mapping[str, str],
    ) -> bool:
        """Sends the event to the target's dead-letter queue, if it has one that lets EventBridge in."""
        arn = target.get("DeadLetterConfig", {}).get("Arn")
        if not arn:
            return False
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": failure.message,
            **about,
        }
        try:
            targets.send_to_queue(
                self._client("sqs", ""),
                arn,
                json.dumps(event),
                rule_arn=rule.arn,
                account=self._account,
                attributes=attributes,
            )
        except (DeliveryFailed, ClientError) as error:
            LOG.warning("the dead-letter queue %s of rule %s did not take an event: %s", arn, rule.name, error)
            return False
        return True
