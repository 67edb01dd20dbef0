"""What the runs under faults train on: GSM8K's rows, or tool calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.workflow.pipeline.application import TEST, TRAIN

RECIPE = "rehearsal: {prompts: 8, samples: 4}\n"
OTHER_RECIPE = "rehearsal: {prompts: 9, samples: 4}\nlabels: {changed: under way}\n"
TOOLS = Path(__file__).parents[2] / "events/datasets/tools"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is dropped: 100 rows to train on, 20 to test on, and what the recipe says of the grader."""

    train: bytes
    test: bytes
    grader: str = ""


@cache
def tool_calls() -> Dataset:
    """A part of the example of tool calls, with its grader; the model is the Region's own."""
    train, test = ((TOOLS / name).read_bytes().splitlines(keepends=True) for name in ("train.jsonl", "test.jsonl"))
    grader = (TOOLS / "recipe.yaml").read_text().partition("grader:")
    return Dataset(b"".join(train[:100]), b"".join(test[:20]), "".join(grader[1:]))


MATHS = Dataset(TRAIN, TEST)
