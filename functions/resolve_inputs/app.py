"""ResolveInputs: pins the versions of the dataset, the recipe and the grader that the run is made of."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import resolve_inputs

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "resolved", "notice"}`. Raises InputMissing, RecipeInvalid, RepeatedDrop."""
    logger.append_keys(run_id=event["run_id"])
    return resolve_inputs.run(event, resources).output()
