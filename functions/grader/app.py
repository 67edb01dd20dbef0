"""Grader: answers the service's batches. One folder, deployed once for each trust (environment GRADER_TRUST)."""

import json
import os
import time
from typing import Any

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.kinds import Trust
from tunedrop.graders.metrics import batch_line
from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.workers import Workers

# Neither powertools nor pydantic nor boto3: their imports would take longer than most batches.
grader = RowGrader(Trust(os.environ["GRADER_TRUST"]))
workers = Workers(grader)

ANSWERING_SECONDS = 2.0
"""What is kept of the function's time to answer a batch whose samples have used up the rest."""


def handler(event: Any, context: Any) -> list[dict[str, Any]]:
    """The service's batch (an array of rollouts) to its answers, in order. Raises BatchError where it is no batch.

    The client context `{"custom": {"tunedrop_explain": "1"}}` adds an `explanation` to each answer.
    """
    started = time.monotonic()
    custom = getattr(context.client_context, "custom", None) or {}
    answers = grade_batch(
        event,
        grader,
        budget_seconds=max(1.0, context.get_remaining_time_in_millis() / 1000 - ANSWERING_SECONDS),
        explain=custom.get("tunedrop_explain") == "1",
        workers=workers,
    )
    seen = [{metric["name"] for metric in each["metrics_list"]} for each in answers]
    # Numbers only: what people asked and what the model said stays out of the logs.
    told = batch_line(
        context.function_name,
        context.function_version,
        answers=len(answers),
        errors=sum("grader_error" in names for names in seen),
        refused=sum("grader_refused" in names for names in seen),
        zeros=sum(each["aggregate_reward_score"] == 0 for each in answers),
        seconds=round(time.monotonic() - started, 3),
        now=time.time(),
    )
    print(json.dumps(told))  # noqa: T201 - CloudWatch reads metrics only from a line that is nothing but their JSON
    return answers
