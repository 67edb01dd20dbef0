"""A validation is one item in DynamoDB, whatever recipe it came with and whatever was found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws import dynamodb_rules
from tunedrop.recipe_text import RECIPE_BYTES, require_storable
from tunedrop.states.run_validation import SHOWN_BYTES, SHOWN_FINDINGS, shown
from tunedrop.validations import Validations

ID = "0" * 32


class Table:
    """Keeps the one item, and refuses what DynamoDB refuses."""

    def __init__(self) -> None:
        self.item: dict[str, Any] = {}

    def put_item(self, *, TableName: str, Item: dict[str, Any]) -> None:
        self.item = Item
        self._hold()

    def update_item(self, *, ExpressionAttributeValues: dict[str, Any], **_: Any) -> None:
        self.item["result"] = ExpressionAttributeValues[":result"]
        self._hold()

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": self.item}

    def _hold(self) -> None:
        assert dynamodb_rules.problem_of_item(self.item) is None


def recipe_of(letter: str) -> dict[str, Any]:
    """The largest recipe of this letter that may be asked with."""
    bytes_each = len(json.dumps(letter, ensure_ascii=False).encode()) - 2  # without the quotes
    options = {"x": letter * ((RECIPE_BYTES - 200) // bytes_each)}
    recipe = {"grader": {"kind": "exact", "options": options}}
    require_storable(recipe)
    return recipe


def finding(letter: str, length: int) -> dict[str, Any]:
    return {"rule": "json", "line": 3, "message": letter * length}


@pytest.mark.parametrize("letter", ["a", "é", "数", "🦜", '"', "\\"])
def test_the_largest_recipe_and_findings_of_any_length_are_kept(letter: str) -> None:
    table = Table()
    validations = Validations(table, "api")  # type: ignore[arg-type]
    source = {"bucket": "drop", "key": "k", "recipe": recipe_of(letter)}
    validations.ask("red", source)
    validations.finish(ID, {"valid": False, "findings": shown([finding(letter, 20_000)] * 100)})
    told = validations.load(ID)
    assert told["source"] == source
    assert 0 < len(told["result"]["findings"]) <= SHOWN_FINDINGS


def test_findings_of_usual_length_are_shown_up_to_their_number() -> None:
    assert len(shown([finding("x", 400)] * 60)) == SHOWN_FINDINGS
    assert shown([finding("x", SHOWN_BYTES)]) == []


def test_half_of_a_character_comes_back_as_it_was() -> None:
    table = Table()
    validations = Validations(table, "api")  # type: ignore[arg-type]
    validations.ask("red", {"bucket": "drop"})
    validations.finish(ID, {"findings": [finding("\ud800", 1)]})
    assert validations.load(ID)["result"]["findings"][0]["message"] == "\ud800"
