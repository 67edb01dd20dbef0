"""RunValidation: checks a dataset that the API was asked to check."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import run_validation

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"validation_id"}` to `{"decision": "validated", "valid"}`; the result is kept for the API to show."""
    logger.append_keys(validation_id=event["validation_id"])
    checked = run_validation.run(event, resources)
    logger.info("validated", valid=checked.valid, reason=checked.reason)
    return checked.output()
