"""Faults that happen at one moment of a run: just before a function runs, or at a call."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.error import URLError

from embedded_aws.calls import Call
from tests.faults.schedule import Fault

if TYPE_CHECKING:
    from tests.faults.world import World


def arm_moment(world: World, fault: Fault, chance: random.Random) -> None:
    """Let the fault happen once, when its moment comes."""
    happened = threading.Event()

    def happen(*_: object) -> None:
        if not happened.is_set():
            happened.set()
            world.hit(fault.kind)
            _happen(world, fault, chance)

    def at_a_call(call: Call) -> None:
        if f"{call.service}:{call.action}" == fault.what and call.caller is not None:
            happen()

    if ":" in fault.what:
        world.watch(at_a_call)
    else:
        function = world.application.function(fault.what)
        world.stack.aws.functions.faults.before(function, happen, times=10_000)


def _happen(world: World, fault: Fault, chance: random.Random) -> None:
    if fault.kind == "stop":
        for execution in world.application.executions(world.name):
            world.application.states.stop_execution(executionArn=execution["executionArn"], cause="on purpose")
    elif fault.kind == "bedrock restarts":
        world.restart_bedrock()
    elif fault.kind == "clock jumps":
        world.set_weather(jump=fault.amount)
    elif fault.kind == "disk full":
        world.set_weather(disk_full=True)
        world.later(1.0, lambda: world.set_weather(disk_full=False))
    elif fault.kind == "keys expire":
        world.stack.bedrock.set_switch("keys_expired", True)
        world.later(0.7, lambda: _keys_are_new(world))
    elif fault.kind == "sweep":
        with suppress(AssertionError):  # in this weather the sweeper may fail, too
            world.application.sweep()
    elif fault.kind == "recipe changed":
        world.change_recipe()
    elif fault.kind == "topic deleted":
        _delete_topic(world)
    else:
        _lose_file(world, chance, emptied=fault.kind == "file emptied")


def _keys_are_new(world: World) -> None:
    with suppress(URLError):  # it restarts just now; when the weather clears, the switch is set again
        world.stack.bedrock.set_switch("keys_expired", False)


def _delete_topic(world: World) -> None:
    """The topic of the notices is deleted, and for a moment there is none."""
    sns, arn = world.stack.aws.client("sns"), world.stack.outputs["NoticesTopicArn"]
    given = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    subscribed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    sns.delete_topic(TopicArn=arn)

    def make_anew() -> None:
        made = sns.create_topic(Name=arn.rpartition(":")[2])["TopicArn"]
        sns.set_topic_attributes(TopicArn=made, AttributeName="Policy", AttributeValue=given["Policy"])
        for each in subscribed:
            sns.subscribe(TopicArn=made, Protocol=each["Protocol"], Endpoint=each["Endpoint"])

    world.at_the_latest(1.0, make_anew)


def _lose_file(world: World, chance: random.Random, *, emptied: bool) -> None:
    """One of the files that the run has written so far is deleted, or is empty from now on."""
    s3, bucket = world.stack.aws.client("s3"), world.stack.outputs["RunsBucketName"]
    for record in world.application.records(world.name):
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{record.run_id}/").get("Contents", [])
        if listed:
            key = chance.choice([each["Key"] for each in listed])
            if emptied:
                s3.put_object(Bucket=bucket, Key=key, Body=b"")
            else:
                s3.delete_object(Bucket=bucket, Key=key)
