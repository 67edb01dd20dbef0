"""RunValidation: checks a dataset that the API was asked to check."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.api.validations import Validations, validate
from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"validation_id"}` to what was found; it is kept for the API to tell."""
    logger.append_keys(validation_id=event["validation_id"])
    result = validate(event["validation_id"], Validations(resources.dynamodb, os.environ["API_TABLE"]), resources)
    logger.info("validated", valid=result.get("valid"), reason=result.get("reason"))
    return {"decision": "validated", "valid": result.get("valid")}
