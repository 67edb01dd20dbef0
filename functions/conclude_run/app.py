"""ConcludeRun: compares base and tuned model, writes the report, and closes the record with its notice."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import conclude_run

logger = Logger()
metrics = Metrics()
resources = Resources()


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "concluded", "verdict", "promotion", "notice"}`. Raises EvaluationIncomplete."""
    logger.append_keys(run_id=event["run_id"])
    concluded = conclude_run.run(event, resources)
    logger.info("concluded", verdict=concluded.verdict)
    if concluded.closed_now:  # each run counts once
        metrics.add_dimension("status", "SUCCEEDED")
        metrics.add_metric("RunsEnded", MetricUnit.Count, 1)
        # By the service alone: a dimension a run would be a time series a run.
        with single_metric("EvaluationDifference", MetricUnit.NoUnit, concluded.difference):
            pass
    return concluded.output()
