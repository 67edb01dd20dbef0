"""RehearseGrader: samples the base model, grades it with the deployed grader, and stops what could not learn."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import rehearse_grader

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "go"}`. Raises NoSignal, GraderUnsound; ServiceBusy to be run again."""
    logger.append_keys(run_id=event["run_id"])
    return rehearse_grader.run(event, resources).output()
