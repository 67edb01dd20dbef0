"""PlanEvaluation: cuts candidate models times test rows into shards."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import plan_evaluation

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "round"}` to `{"decision": "planned", "manifest": {"bucket", "key"}, "concurrency", "next_round"}`.

    `round` is 1 at first, then what the last answer's `next_round` said; 0 means that there is none.
    """
    logger.append_keys(run_id=event["run_id"])
    return plan_evaluation.run(event, resources).output()
