"""PollJob: looks at the job once, keeps its new events, and says whether to go on waiting."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import poll_job
from tunedrop.training.measures import put_out

logger = Logger()
metrics = Metrics()
resources = Resources()


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "told"}` to `{"decision": "running" | "ready" | "unknown", "status", "wait_seconds", …}`.

    `told` names the findings whose notices are out; the answer has at most one more in `warnings`, and it in `told`.

    Raises TrainingFailed, TrainingCancelled, TrainingStuck, TrainingUnhealthy, BudgetExceeded, DeploymentFailed,
    RunReleased; ServiceBusy to be run again.
    """
    logger.append_keys(run_id=event["run_id"])
    seen = poll_job.run(event, resources)
    put_out(metrics, event["run_id"], seen.base_model, seen.new_events)
    if seen.decision == "unknown":
        logger.warning("the job has a status that is not documented", status=seen.status)
    return seen.output()
