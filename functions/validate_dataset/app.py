"""ValidateDataset: checks every line, writes the findings, and writes the files that are trained and tested on."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.run.preparation import validate_dataset
from tunedrop.service_faults import named_faults

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "valid", "rows"}`. Raises DatasetInvalid."""
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    record = validate_dataset(run_id, store=resources.runs, s3=resources.s3, run_folder=resources.folder(run_id))
    return {"decision": "valid", "rows": (record.dataset or {})["rows"]}
