"""References that the json grader could never call right are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tunedrop.graders.row_options import RowGrader
from tunedrop.graders.sample import JSON

NUMBERS: dict[str, JSON] = {"fields": {"/priority": "number", "/item/price": {"compare": "number"}}}


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ({"priority": "2"}, "/priority"),
        ({"priority": 2, "item": {"price": "9.5"}}, "/item/price"),
        ('{"priority": "2"}', "/priority"),
    ],
)
def test_a_number_as_text_is_refused_where_numbers_are_compared(reference: Any, named: str) -> None:
    told = RowGrader.of("json", NUMBERS).check_reference(reference, {})
    assert told == f"{named} is compared as a number, but is text here: write it without quotes"


def test_a_number_and_a_text_that_is_compared_as_text_are_taken() -> None:
    grader = RowGrader.of("json", NUMBERS)
    assert grader.check_reference({"priority": 2, "item": {"price": 9.5, "code": "007"}}, {}) is None


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("delivry", "; the nearest of them is 'delivery'"),
        (" Refund", "; the nearest of them is 'refund'"),
        ("", ": it is blank"),
        ("zzz", ""),
        (7, ""),
    ],
)
def test_a_label_that_is_not_allowed_is_told_with_the_nearest_that_is(label: Any, told: str) -> None:
    schema: dict[str, JSON] = {"properties": {"intent": {"enum": ["refund", "delivery", 3]}}}
    said = RowGrader.of("json", {"schema": schema, "fields": {"/intent": "exact"}}).check_reference(
        {"intent": label}, {}
    )
    assert said is not None
    assert said.endswith(f"the value at /intent is not one of those that `enum` lists{told}")
