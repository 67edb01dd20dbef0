"""SubmitJob: uploads the training file and creates the job, exactly once, or takes over one that is there."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.service_faults import named_faults
from tunedrop.training.submission import Submission
from tunedrop.training.takeover import take_over

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
@named_faults
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{"run_id"}` to `{"decision": "submitted", "wait_seconds"}`.

    Raises JobRefused, RecipeInvalid, RunReleased, RunFileMissing, RunFileBroken; ServiceBusy or SubmissionUnclear to be
    run again.
    """
    run_id = event["run_id"]
    logger.append_keys(run_id=run_id)
    record = resources.runs.load(run_id)
    backend = resources.backend(record)
    taken_over = take_over(record, resources.runs, backend)
    if taken_over is not None:
        logger.info("taken over", job_id=taken_over.job_id, tuned_model=taken_over.tuned_model)
        return {"decision": "submitted", "wait_seconds": 0}
    submission = Submission(
        resources.runs,
        backend,
        lease_seconds=context.get_remaining_time_in_millis() / 1000,
        list_lag_seconds=resources.settings.list_lag_seconds,
    )
    rows, folder = (record.dataset or {}).get("rows"), resources.folder(run_id)
    record = submission.submit(run_id, lambda: folder.open_training_file(rows))
    logger.info("submitted", job_id=record.job_id)
    return {"decision": "submitted", "wait_seconds": resources.settings.first_poll_seconds}
