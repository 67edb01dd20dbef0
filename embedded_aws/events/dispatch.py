"""The event bus: takes events, finds the rules that they meet, delivers to each target, again when it fails."""

from __future__ import annotations

import datetime
import functools
import json
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws.events import pattern, targets
from embedded_aws.events.faults import EventFaults
from embedded_aws.events.service_events import scheduled_event
from embedded_aws.events.targets import Client, DeliveryFailed
from embedded_aws.later import Later
from embedded_aws.permissions.enforcement import Permissions

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


@dataclass(slots=True)
class _Attempt:
    """A delivery under way."""

    rule: RuleView
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    too_old: float
    """When the event has reached its greatest age, by the monotonic clock."""
    number: int = 0


Rules = Callable[[], Iterable[RuleView]]


class Dispatch:
    """Delivers events by the rules that exist when they come. Deliveries run in threads of their own."""

    def __init__(
        self,
        *,
        rules: Rules,
        client: Client,
        permissions: Permissions,
        account: str,
        region: str,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
        retry_delay_factor: float = 1.0,
    ) -> None:
        self._rules = rules
        self._client = client
        self._permissions = permissions
        self._account = account
        self._region = region
        self._first_retry_seconds = first_retry_seconds
        self._retry_delay_factor = retry_delay_factor
        self._later = Later("dispatch", WORKERS)
        self._lock = threading.Lock()
        self._taken: deque[str] = deque(maxlen=REMEMBERED)
        self.events: deque[Mapping[str, Any]] = deque(maxlen=REMEMBERED)
        """Every event that came, the newest last."""
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        """Every delivery that has ended, the newest last."""
        self.faults = EventFaults(self.replay)
        self.listeners: list[Callable[[Mapping[str, Any]], None]] = []
        """Called with each event before it is delivered. Whoever caused it does not wait for them."""

    def publish(self, event: Mapping[str, Any]) -> None:
        """Takes an event onto the default bus. An id that has just been taken is not taken again.

        Whoever causes an event gets his answer at once, as at AWS, however long the listeners take.
        """
        with self._lock:
            if event["id"] in self._taken:
                return
            self._taken.append(event["id"])
        self.events.append(event)
        self._later.do(functools.partial(self._hear_and_deliver, event, self.faults.copies(event)))

    def _hear_and_deliver(self, event: Mapping[str, Any], copies: int) -> None:
        for listener in list(self.listeners):
            try:
                listener(event)
            except Exception:
                LOG.exception("a listener broke at event %s", event["id"])
        for _ in range(copies):
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
        """Waits until no delivery is under way, or waits for its next attempt. Raises TimeoutError."""
        self._later.settle(timeout_seconds)

    def close(self) -> None:
        self._later.close()

    def _deliver_by(self, rule: RuleView, event: Mapping[str, Any]) -> None:
        for target in rule.targets:
            age = target.get("RetryPolicy", {}).get("MaximumEventAgeInSeconds", DEFAULT_EVENT_AGE_SECONDS)
            attempt = _Attempt(rule, target, event, too_old=time.monotonic() + age)
            self._later.do(functools.partial(self._attempt, attempt))

    def _attempt(self, attempt: _Attempt) -> float | None:
        """Tries once; the seconds until the next try, or None when the delivery has ended."""
        rule, target, event = attempt.rule, attempt.target, attempt.event
        attempt.number += 1
        try:
            targets.deliver(self._client, self._permissions, target, json.dumps(event), rule_arn=rule.arn)
        except DeliveryFailed as failure:
            wait: float = min(LONGEST_RETRY_SECONDS, self._first_retry_seconds * 2 ** min(attempt.number - 1, 10))
            wait *= random.uniform(0.5, 1.0) * self._retry_delay_factor
            exhausted = _exhausted(attempt, wait)
            if not failure.lasting and exhausted is None:
                return wait
            about = {} if failure.lasting or exhausted is None else {"EXHAUSTED_RETRY_CONDITION": exhausted}
            self._give_up(attempt, failure, about)
        else:
            self.deliveries.append(Delivery(event, rule.name, target["Arn"], attempt.number, None))
        return None

    def _give_up(self, attempt: _Attempt, failure: DeliveryFailed, about: Mapping[str, str]) -> None:
        if self._later.closed:
            return
        rule, target, event = attempt.rule, attempt.target, attempt.event
        buried = self._bury(rule, target, event, failure, {"RETRY_ATTEMPTS": str(attempt.number - 1), **about})
        if not buried:
            LOG.warning("event %s is lost: rule %s, target %s: %s", event["id"], rule.name, target["Arn"], failure)
        self.deliveries.append(Delivery(event, rule.name, target["Arn"], attempt.number, str(failure), buried))

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
                self._permissions,
                arn,
                json.dumps(event),
                rule_arn=rule.arn,
                attributes=attributes,
            )
        except (DeliveryFailed, ClientError) as error:
            LOG.warning("the dead-letter queue %s of rule %s did not take an event: %s", arn, rule.name, error)
            return False
        return True


def _exhausted(attempt: _Attempt, wait: float) -> str | None:
    """Which condition of the target's retry policy leaves no further attempt after `wait` seconds."""
    if attempt.number > attempt.target.get("RetryPolicy", {}).get("MaximumRetryAttempts", DEFAULT_RETRIES):
        return "MaximumRetryAttempts"
    if time.monotonic() + wait > attempt.too_old:
        return "MaximumEventAgeInSeconds"
    return None
