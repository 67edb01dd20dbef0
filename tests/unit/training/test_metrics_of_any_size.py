"""A training's metrics are kept whatever the service tells: a run does not end because a number is too small."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import boto3

from tunedrop.training.backend import TrainingEvent
from tunedrop.training.events import TrainingEvents
from tunedrop.training.measures import put_out

RUN_ID = "set-1"


def test_a_metric_of_any_size_is_kept_and_one_that_is_no_number_left_out(training_events_table: str) -> None:
    events = TrainingEvents(boto3.client("dynamodb"), training_events_table)
    told = {"step": 1.0, "loss": 8.6e-177, "norm": 1.7e308, "rate": 5e-324, "entropy": math.nan, "clip": math.inf}
    events.keep(RUN_ID, [TrainingEvent("e1", 1, "info", "step 1", 1, told)])
    assert events.metrics(RUN_ID) == [{"step": 1.0, "loss": 8.6e-177, "norm": 1.7e308, "rate": 5e-324}]


def test_metrics_that_an_earlier_release_kept_as_numbers_are_still_read(training_events_table: str) -> None:
    client = boto3.client("dynamodb")
    item = {"run_id": {"S": RUN_ID}, "event_id": {"S": "e"}, "created_at": {"N": "1"}, "step": {"N": "2"}}
    metrics = {"metrics": {"M": {"step": {"N": "2"}, "loss": {"N": "0.5"}}}}
    client.put_item(TableName=training_events_table, Item={**item, **metrics})
    assert TrainingEvents(client, training_events_table).metrics(RUN_ID) == [{"step": 2.0, "loss": 0.5}]


def test_events_without_a_measure_of_the_training_put_nothing_out() -> None:
    nothing: Any = None  # a metric of it would be a fault
    told = TrainingEvent("e", 1, "info", "Step 1", 1, {"step": 1.0})
    put_out(nothing, "sums-1", "openai.gpt-oss-20b", [told, replace(told, metrics=None)])
