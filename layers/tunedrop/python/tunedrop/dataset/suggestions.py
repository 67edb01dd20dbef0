"""Hyperparameters that fit a dataset: where to start, with the arithmetic said."""

from __future__ import annotations

from typing import Any, Final

from tunedrop.catalog import Family, Model
from tunedrop.dataset.bounds import MIN_ROWS
from tunedrop.dataset.fitting_defaults import STEPS_WANTED, TRAINED_PART, fitting_batch
from tunedrop.dataset.statistics import Statistics

_BATCHES: Final = {Family.OPEN_WEIGHT: (4, 128), Family.NOVA: (16, 512)}
"""Least and most of the batch size: 4 is the walkthrough's, 16 to 512 is Nova's documented range."""
_PROMPT_MARGIN: Final = 1.25
"""For the estimate's error and the chat template's own tokens."""
_ANSWER_MARGIN: Final = 4
"""A model that reasons writes several times the length of a written solution."""
_LEAST_ANSWER_TOKENS: Final = 512
_ROUNDED_TO: Final = 256


def suggest(
    rows: int, statistics: Statistics, family: Family, model: Model | None, trained_part: float = 1.0
) -> dict[str, Any] | None:
    """Where to start: values, and one sentence for each that says why. None where no row has a prompt.

    `trained_part`: the part of the rows that is left to train on, without those that the recipe keeps apart.
    """
    if not statistics.prompt_bytes.counts:
        return None
    kept = "" if trained_part == 1.0 else f", without the {1 - trained_part:.0%} that are kept apart"
    rows = max(round(rows * trained_part), min(rows, MIN_ROWS))
    least, most = _BATCHES[family]
    batch = fitting_batch(rows, least, most)
    steps = int(rows * TRAINED_PART) // batch
    prompt = _rounded_up(statistics.prompt_bytes.summary()["max"] * _PROMPT_MARGIN)
    answer = max(_LEAST_ANSWER_TOKENS, _rounded_up(statistics.answer_bytes.summary()["p99"] * _ANSWER_MARGIN))
    group = model.default_group_size if model is not None else 8
    names = ("epochCount", "batchSize", "maxPromptLength", "inferenceMaxTokens") if family is Family.NOVA else (
        "n_epochs", "batch_size", None, None
    )  # fmt: skip
    values = dict(zip(names, (1, batch, prompt, answer), strict=True))
    return {
        "hyperparameters": {name: value for name, value in values.items() if name is not None},
        "max_prompt_tokens": prompt,
        "max_answer_tokens": answer,
        "steps_per_epoch": steps,
        "rollouts_per_epoch": rows * group,
        "why": {
            "batch size": f"the largest power of two, {least} to {most}, that gives {STEPS_WANTED} steps an epoch",
            "steps per epoch": f"0.9 x {rows:,} rows{kept} / {batch}: the service seems to hold out a tenth "
            "(unconfirmed)",
            "max prompt tokens": "the longest prompt (estimated) and a quarter more",
            "max answer tokens": "four times the 99th percentile of the reference answers, at least 512",
            "rollouts per epoch": f"{group} answers a prompt",
        },
    }


def _rounded_up(tokens: float) -> int:
    return max(1, -(-int(tokens) // _ROUNDED_TO)) * _ROUNDED_TO
