"""EvaluateShard: asks one candidate model some rows of the test set, and grades the answers."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.evaluation.shard import evaluate_shard
from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "shard"}` to `{"decision": "evaluated"}`. Raises ServiceBusy to be run again for what is missing."""
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id, shard=event["shard"])
    answered = evaluate_shard(
        run_id, event["shard"], resources, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000
    )
    logger.info("evaluated", answered=answered)
    return {"decision": "evaluated"}
