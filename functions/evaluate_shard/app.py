"""EvaluateShard: asks one candidate model some rows of the test set, and grades the answers."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import evaluate_shard

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "shard"}` to `{"decision": "evaluated"}`. Raises ServiceBusy to be run again for what is missing."""
    logger.append_keys(run_id=event["run_id"], shard=event["shard"])
    resources.seconds_left = lambda: context.get_remaining_time_in_millis() / 1000
    evaluated = evaluate_shard.run(event, resources)
    logger.info("evaluated", answered=evaluated.answered)
    return evaluated.output()
