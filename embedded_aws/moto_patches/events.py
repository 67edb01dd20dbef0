"""What EventBridge gets from S3 and from PutEvents, and to whom it delivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import moto.events.models
import moto.s3.notifications

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace


def deliver_object_events(replace: Replace, hooks: Hooks) -> None:
    """moto sends S3's events with one fixed id and sequencer, silently nowhere when a rule has a target other than
    its own five kinds, an "Object Tags Added" beside each upload, and a put beside each completed multipart
    upload."""

    def send(_: str, bucket: Any, event_name: Any, key: Any) -> None:
        name = getattr(event_name, "value", event_name)
        if not (name == "s3:ObjectCreated:Put" and key.multipart is not None):
            hooks.object_event(bucket, name, key)

    replace(moto.s3.notifications, "_send_event_bridge_message", send)


def deliver_rule_events(replace: Replace, hooks: Hooks) -> None:
    """moto delivers to no state machine and no function, and has neither retries nor dead-letter queues."""

    def send(rule: Any, original_event: Mapping[str, Any], **_: Any) -> None:
        hooks.rule_event(rule, original_event)

    replace(moto.events.models.Rule, "send_to_targets", send)
