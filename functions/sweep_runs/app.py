"""SweepRuns: finds runs whose end nobody saw, and what is held for nobody."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.run.sweep import sweep
from tunedrop.service_faults import named_faults

logger = Logger()
metrics = Metrics()
resources = Resources()


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Anything to the counts of `tunedrop.run.sweep.Swept`."""
    swept = asdict(sweep(resources))
    for name, number in swept.items():
        if number:  # a metric is paid for in each month in which it is put out, and most months nothing is missed
            metrics.add_metric(name, MetricUnit.Count, number)
    logger.info("swept", **swept)
    return swept
