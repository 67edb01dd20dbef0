"""ValidateDataset: checks every line, writes the findings, and writes the files that are trained and tested on."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import validate_dataset

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "valid", "rows"}`. Raises DatasetInvalid."""
    logger.append_keys(run_id=event["run_id"])
    return validate_dataset.run(event, resources).output()
