"""Recipes that no run can have, dropped: each ends its run at once, by a reason that can be printed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.waiting import until
from tests.refused_recipes import KEPT, REFUSED, schema_of
from tests.workflow.pipeline.application import TRAIN, Application
from tunedrop.outcomes import REASON_CHARACTERS

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1500)]
PATIENCE_SECONDS = 1200


def ended(application: Application, name: str) -> dict[str, Any]:
    notice: dict[str, Any] = until(lambda: application.notices_of(name), f"the end of {name}", PATIENCE_SECONDS)[0]
    return notice


def test_each_recipe_that_no_run_can_have_rejects_its_run_by_name(application: Application) -> None:
    names = {
        what: application.drop({file_name: text, "train.jsonl": TRAIN})
        for what, (file_name, text, _) in REFUSED.items()
    }
    for what, name in names.items():
        notice = ended(application, name)
        told = notice["reason"]["message"]
        assert (notice["status"], notice["reason"]["error"]) == ("REJECTED", "RecipeInvalid"), (
            f"{what}: {notice['reason']}"
        )
        assert REFUSED[what][2] in told, what
        assert told.isprintable(), what
        assert len(told) <= REASON_CHARACTERS, what
        assert application.jobs(notice["run_id"]) == []


def test_each_schema_that_a_run_can_have_is_in_its_record_to_the_last_digit(application: Application) -> None:
    names = {
        what: application.drop({"recipe.json": schema_of(schema), "train.jsonl": TRAIN})
        for what, schema in KEPT.items()
    }
    for what, name in names.items():
        # GSM8K's references are no JSON documents: the dataset is what is refused.
        assert ended(application, name)["reason"]["error"] == "DatasetInvalid", what
        recipe = application.record(name).recipe_document
        assert recipe is not None
        assert json.dumps(recipe["grader"]["options"]["schema"]) == json.dumps(KEPT[what]), what
