"""What the record says of a run, and when it reads the recipe."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from tunedrop.graders.reward_range import UNIT
from tunedrop.outcomes import Status
from tunedrop.recipe_resolution import resolve
from tunedrop.run.record import PinnedObject, RunRecord
from tunedrop.run.record_parts import CheckedDataset, RehearsalResult, TrainingProgress

NEW = RunRecord("run-1", "set", "arn", Status.RUNNING, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:ours:3"


def test_a_recipe_is_read_with_all_its_types() -> None:
    own = {"kind": "own", "function": FUNCTION, "range": [-1, 1]}
    recipe = resolve({"grader": own, "labels": {"for": "test"}}, "us-west-2")
    record = replace(NEW, recipe_document=recipe.model_dump(mode="json"))
    assert record.recipe == recipe
    assert (record.base_model, record.grader_kind, record.labels) == (recipe.model, "own", {"for": "test"})
    assert record.reward_range == (-1, 1)


def test_a_run_without_a_recipe_has_nothing_of_one() -> None:
    assert not NEW.resolved
    assert (NEW.base_model, NEW.grader_kind, NEW.labels, NEW.reward_range) == (None, None, {}, UNIT)
    with pytest.raises(ValidationError):
        _ = NEW.recipe


def test_a_recipe_that_is_no_longer_valid_hinders_only_who_reads_it() -> None:
    record = RunRecord.from_item({**NEW.to_item(), "recipe": {"model": "old", "gone": 1}})
    assert (record.resolved, record.base_model) == (True, "old")
    with pytest.raises(ValidationError):
        _ = record.recipe


def test_an_item_is_read_as_it_was_written_and_has_nothing_that_was_not_reached() -> None:
    record = replace(
        NEW,
        train=PinnedObject("inbox", "train.jsonl", "v1", 10),
        recipe_document={"model": "m"},
        dataset=CheckedDataset(rows=300),
        rehearsal=RehearsalResult({"mean_reward": 0.1 + 0.2}),
    )
    item = record.to_item()
    assert RunRecord.from_item(item) == record
    assert item["recipe"] == {"model": "m"}
    assert not item.keys() & {"training", "evaluation", "test", "recipe_document"}


def test_fields_of_another_version_are_passed_over() -> None:
    item = {**NEW.to_item(), "training": {"steps": 3, "of a later version": 1}, "of a later version": 1}
    assert RunRecord.from_item(item).training == TrainingProgress(steps=3)
