"""What an alarm does when it changes its state: it tells its topics, where they and their keys let CloudWatch in."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import moto.cloudwatch.models
from moto.sns.models import sns_backends

from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace

LOG = logging.getLogger(__name__)

CLOUDWATCH = "cloudwatch.amazonaws.com"


def tell_topics(replace: Replace, hooks: Hooks) -> None:
    """moto's SetAlarmState runs no action; CloudWatch's runs those of the new state, which is how alarms are tried
    (docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html)."""

    def set_alarm_state(backend: Any, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        old = backend.alarms[alarm_name].state_value if alarm_name in backend.alarms else ""
        original(backend, alarm_name, reason, reason_data, state_value)
        alarm = backend.alarms[alarm_name]
        if state_value == old or not alarm.actions_enabled:
            return
        actions = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(
            state_value, alarm.insufficient_data_actions
        )
        for topic in actions or []:
            _publish(hooks, alarm, topic, old)

    original = replace(moto.cloudwatch.models.CloudWatchBackend, "set_alarm_state", set_alarm_state)


def _publish(hooks: Hooks, alarm: Any, topic: str, old: str) -> None:
    if not topic.startswith("arn:aws:sns:"):
        LOG.warning("an alarm's action is not imitated: %s", topic)
        return
    if not hooks.permissions.service_may(CLOUDWATCH, "sns:Publish", topic, source_arn=alarm.alarm_arn):
        LOG.warning("an alarm is lost: %s may not publish to %s", CLOUDWATCH, topic)  # nobody hears of it
        return
    account = topic.split(":")[4]
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": hooks.region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old,
    }
    sns_backends[account][hooks.region].publish(
        json.dumps(message), arn=topic, subject=f'{alarm.state_value}: "{alarm.name}" in {hooks.region}'[:99]
    )
