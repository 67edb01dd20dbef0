"""ReleaseRun: ends a run that did not go well, so that nothing of it goes on costing money and its notice is sent."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import release_run

logger = Logger()
metrics = Metrics()
resources = Resources()


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"input": <status-change event, or {"execution_arn"}>}` to what is next: publish, wait, or nothing.

    Raises ServiceBusy to be run again.
    """
    release = release_run.run(event, resources)
    logger.append_keys(run_id=release.run_id)
    logger.info("released", decision=release.decision, status=release.status)
    if release.closed_now:  # each run counts once
        metrics.add_dimension("status", release.status)
        metrics.add_metric("RunsEnded", MetricUnit.Count, 1)
    return release.output()
