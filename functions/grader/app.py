"""Grader: answers the service's batches. One folder, deployed once for each kind (environment GRADER_KIND)."""

import json
import os
import time
from typing import Any

from tunedrop.graders.batch import grade_batch
from tunedrop.graders.kinds import load
from tunedrop.graders.metrics import batch_line
from tunedrop.graders.workers import Workers

# Neither powertools nor pydantic nor boto3: their imports would take longer than most batches.
grader = load(os.environ["GRADER_KIND"], json.loads(os.environ.get("GRADER_OPTIONS") or "{}"))
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
    errors = sum(any(metric["name"] == "grader_error" for metric in told["metrics_list"]) for told in answers)
    # Numbers only: what people asked and what the model said stays out of the logs.
    told = batch_line(
        context.function_name,
        context.function_version,
        answers=len(answers),
        errors=errors,
        zeros=sum(told["aggregate_reward_score"] == 0 for told in answers),
        seconds=round(time.monotonic() - started, 3),
        now=time.time(),
    )
    print(json.dumps(told))  # noqa: T201 - CloudWatch reads metrics only from a line that is nothing but their JSON
    return answers
