"""ReleaseRun: ends a run that did not go well, so that nothing of it goes on costing money and its notice is sent."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.catalog import is_simulated
from tunedrop.outcomes import Status
from tunedrop.resources import Resources
from tunedrop.run.record import RunRecord
from tunedrop.service_faults import named_faults
from tunedrop.training.release import Releaser, describe_execution

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
    execution = describe_execution(resources.stepfunctions, event["input"])
    releaser = Releaser(
        resources.runs,
        resources.backend,
        list_lag_seconds=resources.settings.list_lag_seconds,
        write_report=write_report,
    )
    release = releaser.release(execution)
    logger.info(
        "released", run_id=release.run_id, decision=release.decision, execution=execution.arn, status=execution.status
    )
    answer: dict[str, Any] = {"decision": release.decision, "run_id": release.run_id}
    if release.decision == "publish":
        answer["notice"] = release.notice
    if release.closed_now:  # run twice, it finds the run closed: each run counts once
        metrics.add_dimension("status", (release.notice or {})["MessageAttributes"]["status"]["StringValue"])
        metrics.add_metric("RunsEnded", MetricUnit.Count, 1)
    if release.decision == "wait":
        answer["wait_seconds"] = release.wait_seconds
    return answer


def write_report(record: RunRecord, *, status: Status, reason: Mapping[str, str] | None, finished_at: str) -> str:
    """Write the report of a run that did not go well, as far as it came."""
    from tunedrop.run import report_files

    return report_files.write_report(
        resources.folder(record.run_id),
        record,
        status=status,
        reason=reason,
        finished_at=finished_at,
        metrics=resources.training_events.metrics(record.run_id),
        simulated=is_simulated(resources.settings.mantle_base_url),
    )
