"""AwaitTurn: takes a slot for the run's training job, or says how long to wait until the run asks again."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import await_turn

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "told"}` to `{"decision": "go" | "wait", "wait_seconds", "told", "warnings"}`.

    Raises WaitedTooLong, RunReleased; ServiceBusy to be run again.
    """
    logger.append_keys(run_id=event["run_id"])
    turn = await_turn.run(event, resources)
    logger.info(turn.decision, place=turn.place)
    return turn.output()
