"""PlanEvaluation: cuts candidate models times test rows into shards."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.evaluation.plan import plan_evaluation
from tunedrop.resources import Resources
from tunedrop.run import folder as names

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "planned", "manifest": {"bucket", "key"}, "concurrency"}`."""
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    run_folder = resources.folder(run_id)
    concurrency = plan_evaluation(run_id, store=resources.runs, run_folder=run_folder)
    return {
        "decision": "planned",
        "manifest": {"bucket": run_folder.bucket, "key": run_folder.key(names.MANIFEST)},
        "concurrency": concurrency,
    }
