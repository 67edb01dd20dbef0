"""However the local Bedrock shows a grader the model's reasoning, the same answer is graded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import get_args

import pytest

from local.bedrock.chance import generator
from local.bedrock.grading import GraderSettings, Reasoning, Reply, sample_of
from local.bedrock.policy import BEHAVIOURS
from local.bedrock.rendering import form_of, labels_of
from local.bedrock.switches import Switches
from tests.in_prove import a_third_in_each_run
from tunedrop.graders.contract import read_sample

FOLDERS = Path(__file__).parents[3] / "events/datasets"
SETTINGS = GraderSettings.of(Switches())
ROWS = 12


def replies(folder: str) -> Iterator[Reply]:
    """Right and wrong answers of every form to the first rows of a folder."""
    with (FOLDERS / folder / "train.jsonl").open() as lines:
        rows = [json.loads(line) for line in islice(lines, ROWS)]
    labels = sorted({label for row in rows for label in labels_of(row)})
    for number, row in enumerate(rows):
        form = form_of(row, labels)
        assert form is not None
        for behaviour in BEHAVIOURS:
            for right in (True, False):
                text = form.render(behaviour, right, generator("style", number))
                yield Reply(f"{number} {behaviour} {right}", row, text)


def test_every_way_to_show_reasoning_is_a_switch_of_the_local_bedrock() -> None:
    for way in get_args(Reasoning):
        assert GraderSettings.of(Switches(grader_reasoning=way)).reasoning == way


@pytest.mark.parametrize("reasoning", a_third_in_each_run(way for way in get_args(Reasoning) if way != "none"))
@pytest.mark.parametrize("folder", ["gsm8k", "extraction", "code", "moderation", "judge"])
def test_every_answer_to_an_example_is_graded_as_it_is_without_reasoning(folder: str, reasoning: Reasoning) -> None:
    asked = 0
    for reply in replies(folder):
        sample = read_sample(sample_of(reply, replace(SETTINGS, reasoning=reasoning)), reply.rollout_id)
        plain = read_sample(sample_of(reply, SETTINGS), reply.rollout_id)
        assert sample.answer.strip() == plain.answer.strip()
        assert sample.thought_length
        assert not sample.unfinished_thought
        assert plain.thought_length is None
        asked += 1
    assert asked == ROWS * len(BEHAVIOURS) * 2
