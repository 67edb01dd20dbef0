"""The metrics of its steps that a training job wrote into its output in the run's folder, where the service does so.

docs.aws.amazon.com/bedrock/latest/userguide/model-customization-analyze.html describes the file, with the columns
step_number, epoch_number, training_loss and perplexity. UNCONFIRMED: whether a job of reinforcement fine-tuning writes
it, and with which columns. So every column of numbers is kept, under its own name.
"""

from __future__ import annotations

import csv
import logging

from tunedrop.outcomes import RunFileBroken, RunFileMissing
from tunedrop.run.folder import RunFolder

OUTPUT = "training/"
"""Where a job of the native API writes, within the run's folder."""

METRICS_FILE = "/training_artifacts/step_wise_training_metrics.csv"
MOST_BYTES = 16 * 1024 * 1024

_NAMES = {"step_number": "step", "epoch_number": "epoch"}

_log = logging.getLogger(__name__)


def written_metrics(run_folder: RunFolder) -> list[dict[str, float]]:
    """One mapping for each step, as the events of a job have them; empty where there is no such file.

    A file that cannot be read costs the run nothing but its curves.
    """
    found = next((name for name in run_folder.names(OUTPUT) if name.endswith(METRICS_FILE)), None)
    if found is None:
        return []
    try:
        text = run_folder.stream(found).read(MOST_BYTES).decode("utf-8-sig", "replace")
    except (RunFileMissing, RunFileBroken) as error:
        _log.warning("the metrics in the job's output cannot be read: %s", error)
        return []
    steps = (_numbers(row) for row in csv.DictReader(text.splitlines()))
    return [step for step in steps if "step" in step]


def _numbers(row: dict[str, str | None]) -> dict[str, float]:
    told = {}
    for name, text in row.items():
        try:
            value = float(text or "")
        except (TypeError, ValueError):  # a text, or more cells than the head has names
            continue
        if name and value - value == 0:
            told[_NAMES.get(name, name)] = value
    return told
