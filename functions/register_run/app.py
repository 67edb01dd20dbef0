"""RegisterRun: makes the run's record before anything else, so that one event is one run."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import identity
from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import register_run

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"input", "execution_arn", "started_at"}` to `{"decision": "registered" | "duplicate", "run_id", …}`."""
    logger.append_keys(run_id=identity.run_id_of(event["input"]))
    registered = register_run.run(event, resources)
    if registered.decision == "duplicate":
        logger.info("another execution owns this run; nothing is done for this one")
    return registered.output()
