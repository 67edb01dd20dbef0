"""PollJob: looks at the job once, keeps its new events, and says whether to go on waiting."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.training.polling import poll

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "running" | "ready" | "unknown", "status", "wait_seconds"}`.

    Raises TrainingFailed, TrainingCancelled, TrainingStuck, BudgetExceeded, RunReleased; ServiceBusy to be run again.
    """
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    seen = poll(
        run_id,
        store=resources.runs,
        events=resources.training_events,
        backend=resources.backend(resources.runs.load(run_id)),
        settings=resources.settings,
    )
    if seen.decision == "unknown":
        logger.warning("the job has a status that is not documented", status=seen.status)
    return asdict(seen)
