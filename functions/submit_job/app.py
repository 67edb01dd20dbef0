"""SubmitJob: uploads the training file and creates the job, exactly once, or takes over one that is there."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.states import submit_job

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "submitted" | "full", "wait_seconds"}`.

    Raises JobRefused, RecipeInvalid, RunReleased, RunFileMissing, RunFileBroken; ServiceBusy or SubmissionUnclear to be
    run again.
    """
    logger.append_keys(run_id=event["run_id"])
    resources.seconds_left = lambda: context.get_remaining_time_in_millis() / 1000
    submitted = submit_job.run(event, resources)
    logger.info(
        "taken over" if submitted.taken_over else submitted.decision,
        why=submitted.why,
        job_id=submitted.job_id,
        tuned_model=submitted.tuned_model,
    )
    return submitted.output()
