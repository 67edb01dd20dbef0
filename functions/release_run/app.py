"""ReleaseRun: ends a run that did not go well, so that nothing of it goes on costing money and its notice is sent."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.training.release import Releaser, describe_execution

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"input": <status-change event, or {"execution_arn"}>}` to what is next: publish, wait, or nothing.

    Raises ServiceBusy to be run again.
    """
    execution = describe_execution(resources.stepfunctions, event["input"])
    releaser = Releaser(resources.runs, resources.backend, list_lag_seconds=resources.settings.list_lag_seconds)
    release = releaser.release(execution)
    logger.info(
        "released", run_id=release.run_id, decision=release.decision, execution=execution.arn, status=execution.status
    )
    answer: dict[str, Any] = {"decision": release.decision, "run_id": release.run_id}
    if release.decision == "publish":
        answer["notice"] = release.notice
    if release.decision == "wait":
        answer["wait_seconds"] = release.wait_seconds
    return answer
