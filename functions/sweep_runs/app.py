"""SweepRuns: finds runs whose end nobody saw, and what is held for nobody."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import sweep_runs

logger = Logger()
metrics = Metrics()
resources = Resources()


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Anything to `{"decision": "swept"}` and the counts of `tunedrop.states.sweep_runs.Counts`."""
    swept = sweep_runs.run(event, resources)
    for name, number in swept.counts.items():
        if number:  # a metric is paid for in each month in which it is put out, and most months nothing is missed
            metrics.add_metric(name, MetricUnit.Count, number)
    logger.info("swept", extra=dict(swept.counts))
    return swept.output()
