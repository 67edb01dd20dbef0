"""RegisterRun: makes the run's record before anything else, so that one event is one run."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import identity
from tunedrop.resources import Resources
from tunedrop.run.registration import new_record
from tunedrop.run.store import OwnedByAnother
from tunedrop.service_faults import named_faults
from tunedrop.teams import Teams

logger = Logger()
resources = Resources()
teams = Teams.from_environment()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"input", "execution_arn", "started_at"}` to `{"decision": "registered" | "duplicate", "run_id", …}`."""
    run_id = identity.run_id_of(event["input"])
    logger.append_keys(run_id=run_id)
    new = new_record(run_id, event["input"], event["execution_arn"], event["started_at"], teams)
    # The API wrote the record of its run before it started this execution, which then finds it as its own.
    settle_seconds = resources.settings.settle_seconds if new.source["kind"] == "upload" else 0
    answer = {"run_id": run_id, "settle_seconds": settle_seconds}
    try:
        resources.runs.register(new)
    except OwnedByAnother:
        logger.info("another execution owns this run; nothing is done for this one")
        return {"decision": "duplicate", **answer}
    return {"decision": "registered", **answer}
