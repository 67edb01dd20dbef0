"""PlanEvaluation: cuts candidate models times test rows into shards."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.evaluation.plan import FIRST_ROUND, plan_evaluation
from tunedrop.resources import Resources
from tunedrop.run import folder as names
from tunedrop.service_faults import named_faults

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id", "round"}` to `{"decision": "planned", "manifest": {"bucket", "key"}, "concurrency", "next_round"}`.

    `round` is 1 at first, then what the last answer's `next_round` said; 0 means that there is none.
    """
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    run_folder = resources.folder(run_id)
    planned = plan_evaluation(
        run_id, store=resources.runs, run_folder=run_folder, this_round=event.get("round", FIRST_ROUND)
    )
    return {
        "decision": "planned",
        "manifest": {"bucket": run_folder.bucket, "key": run_folder.key(names.MANIFEST)},
        "concurrency": planned.concurrency,
        "next_round": planned.next_round,
    }
