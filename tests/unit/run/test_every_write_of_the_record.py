"""Whatever a run is made of and finds, its record takes it and gives it back to the last digit."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.run.record_parts import CheckedDataset, TrainingProgress
from tunedrop.run.storable import DOCUMENTS, from_wire, to_wire
from tunedrop.run.store import RunStore

FORTY_DIGITS = 1234567890123456789012345678901234567890
SMALL = [5e-324, 2.2e-308, 8.6e-177, 1e-131, 1e-130, -0.0, 3.14159265358979, 0.1 + 0.2]
LARGE = [9.99e125, 1.7e308, 2**63, FORTY_DIGITS, -FORTY_DIGITS, math.nan, math.inf, -math.inf]
AWKWARD = st.sampled_from(SMALL + LARGE)
TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | AWKWARD | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MAPS_OF_TEXT = st.dictionaries(TEXT.filter(bool), TEXT, max_size=3)
"""What the record keeps in maps: no key is empty."""
PARTS = {"dataset": CheckedDataset, "training": TrainingProgress}
"""The documents whose fields the record knows; of the others it keeps whatever they hold."""
PLAIN = ("reason", "released", "notice")


def nested(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = {"in": [value]}
    return value


def as_json_has_it(value: Any) -> Any:
    """What is to come back: the same, with null for each figure that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: as_json_has_it(inner) for name, inner in value.items()}
    return [as_json_has_it(inner) for inner in value] if isinstance(value, list) else value


def without_halves(value: Any) -> Any:
    """A lone half of a surrogate pair is no text of DynamoDB's."""
    if isinstance(value, dict):
        return {without_halves(name): without_halves(inner) for name, inner in value.items()}
    return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in value)


def document_of(record: RunRecord, name: str) -> Any:
    """A document as the record gives it back."""
    if name in PARTS:
        return getattr(record, name).to_document()
    return {
        "source": record.source,
        "recipe": record.recipe_document,
        "rehearsal": record.rehearsal.document,
        "turn": record.turn,
        "evaluation": record.evaluation.document,
        "approval_rule": record.approval_rule,
    }[name]


def begun(run_id: str) -> RunRecord:
    return RunRecord(run_id, "set", "arn", Status.RUNNING, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")


def check(store: RunStore, examples: int) -> None:
    free = {name: st.dictionaries(TEXT, VALUES, max_size=3) for name in sorted(DOCUMENTS - PARTS.keys())}
    known = {name: st.fixed_dictionaries({each.name: VALUES for each in fields(part)}) for name, part in PARTS.items()}
    documents = st.fixed_dictionaries({**free, **known})
    plain = st.fixed_dictionaries(dict.fromkeys(PLAIN, MAPS_OF_TEXT))
    text = st.fixed_dictionaries(dict.fromkeys(("job_status", "tuned_model", "file_id"), TEXT))
    number = iter(range(10**9))

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(documents, plain, text, st.integers(0, 80))
    def every_write(documents: dict[str, Any], plain: dict[str, Any], text: dict[str, str], levels: int) -> None:
        documents = {
            name: value if name in PARTS else {**value, "deep": nested(value, levels)}
            for name, value in documents.items()
        }
        run_id = f"run-{next(number)}"
        store.register(begun(run_id))
        changes = {**documents, **plain, **text}
        for written in (store.update_if(run_id, changes, "attribute_exists(run_id)"), store.load(run_id)):
            for name, value in documents.items():
                back = document_of(written, name)
                if name in PARTS:  # its fields have an order of their own
                    back = {field: back[field] for field in value} if back.keys() == value.keys() else back
                assert json.dumps(back) == json.dumps(as_json_has_it(value))
            for name, value in {**plain, **text}.items():
                assert getattr(written, name) == without_halves(value)

    every_write()


@pytest.fixture
def store(runs_table: str) -> RunStore:
    return RunStore(boto3.client("dynamodb"), runs_table)


def test_every_write_of_the_record_comes_back_to_the_last_digit(store: RunStore) -> None:
    check(store, 12)


@pytest.mark.prove
def test_each_of_many_writes_of_the_record_comes_back_to_the_last_digit(store: RunStore) -> None:
    check(store, 600)


def test_every_field_of_the_record_is_text_or_a_map_of_text_or_a_document() -> None:
    kinds = {each.name.removesuffix("_document"): str(each.type) for each in fields(RunRecord)}
    others = {name for name, kind in kinds.items() if "Any" in kind} - DOCUMENTS
    assert others == {"notice"}  # whose message a state machine's own update sets


def test_a_number_reaches_dynamodb_only_as_the_bytes_of_a_pinned_file() -> None:
    wire = to_wire({"recipe": {"x": 0.1}, "train": {"bytes": 12}, "name": "x", "odd": 0.5, "vast": FORTY_DIGITS})
    assert wire["recipe"] == {"S": '{"x":0.1}'}
    assert wire["train"] == {"M": {"bytes": {"N": "12"}}}
    assert (wire["odd"], wire["vast"]) == ({"S": "0.5"}, {"S": str(FORTY_DIGITS)})


def test_a_document_that_an_earlier_release_kept_as_a_map_is_still_read() -> None:
    item = {"recipe": {"M": {"gates": {"M": {"level": {"N": "0.05"}, "rows": {"N": "3"}}}, "off": {"NULL": True}}}}
    assert from_wire(item) == {"recipe": {"gates": {"level": 0.05, "rows": 3}, "off": None}}
