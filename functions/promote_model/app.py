"""PromoteModel: writes the tuned model's id into the parameter that the recipe names, and keeps the replaced id."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import promote_model

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "word"}` to `{"decision": "done" | "failed" | "rejected" | "expired" | "nothing", "notice"}`.

    Raises ServiceBusy to be run again.
    """
    logger.append_keys(run_id=event["run_id"])
    promoted = promote_model.run(event, resources)
    logger.info("promotion", decision=promoted.decision, why_not=promoted.why_not)
    return promoted.output()
