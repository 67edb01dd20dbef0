"""A training's metrics as CloudWatch's: what each new step measured, once, by the model that is tuned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit

from tunedrop.training.backend import TrainingEvent

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics

PREFIXES = ("actor_", "critic_", "response_length_")
"""The metrics that are put out; step numbers are none."""


def put_out(metrics: Metrics, run_id: str, base_model: str, events: Sequence[TrainingEvent]) -> None:
    """Add what the events measured to the function's metrics.

    The dimensions are the service and the model, of which there are few: a dimension a run would be a time series a
    run, each of them paid for. The run's id goes along as a property, for queries of the log.
    """
    measured = [(name, value) for event in events for name, value in (event.metrics or {}).items()]
    measured = [(name, value) for name, value in measured if name.startswith(PREFIXES)]
    if not measured:
        return
    metrics.add_dimension("model", base_model)
    metrics.add_metadata("run_id", run_id)
    for name, value in measured:
        metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=value)
