"""The largest batch of answers that the training may send to the grader: Lambda takes no more than 6 MB at once."""

from __future__ import annotations

import heapq
import json
from typing import BinaryIO, Final

from tunedrop.dataset.check import TRAIN
from tunedrop.dataset.report import DatasetReport
from tunedrop.dataset.written_rows import usual_field
from tunedrop.graders.row_options import OPTIONS_FIELD
from tunedrop.recipe import Recipe

MOST_BYTES: Final = 6 * 1024 * 1024
"""Lambda's limit of a synchronous request. docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
MOST_ANSWERS: Final = 64
"""How many answers come at once is not published for Bedrock; SageMaker's default is 64."""
_BYTES_A_TOKEN: Final = 4


def check_batch(report: DatasetReport, train: BinaryIO, recipe: Recipe) -> None:
    """Note where the rows with the longest lines, each with a group of longest answers, pass Lambda's limit at once.

    Reads `train` from where it stands.
    """
    given = recipe.typed_hyperparameters
    group = int(given.get("trainingSamplePerPrompt") or recipe.catalog_model.default_group_size)
    prompts = int(given.get("batch_size") or given.get("batchSize") or 1)
    answers = min(prompts * group, MOST_ANSWERS)
    field = usual_field(recipe.grader)
    with_each = recipe.evaluation.max_tokens * _BYTES_A_TOKEN
    with_each += len(json.dumps({OPTIONS_FIELD: field}).encode()) if field else 0
    longest = heapq.nlargest(-(-answers // group), map(len, train))
    left, size = answers, 2
    for length in longest:
        size += min(group, left) * (length + with_each)
        left -= min(group, left)
    if size > MOST_BYTES:
        report.findings.add(
            "batch-large", TRAIN, None,
            f"{answers} answers to the longest rows, with those rows and the grader's options, are {size:,} bytes",
            got=f"{size:,} bytes",
        )  # fmt: skip
