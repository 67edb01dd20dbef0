"""Every kind of notice keeps the one schema, and the schema lets nothing else through."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.in_prove import a_third_in_each_run
from tests.unit.notices.notices_of_all_kinds import NOTICES
from tunedrop.notices.publication import document_of

SCHEMA = json.loads((Path(__file__).parents[3] / "events/schemas/notice.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("kind", NOTICES)
def test_a_notice_keeps_the_schema(kind: str) -> None:
    VALIDATOR.validate(document_of(NOTICES[kind]))


def test_there_is_a_notice_of_every_kind_in_the_schema() -> None:
    assert {document_of(each)["event"] for each in NOTICES.values()} == set(SCHEMA["$defs"])


@pytest.mark.parametrize("kind", a_third_in_each_run(NOTICES))
def test_a_notice_without_one_of_its_members_breaks_the_schema(kind: str) -> None:
    whole: dict[str, Any] = document_of(NOTICES[kind])
    for name in whole:
        cut = copy.deepcopy(whole)
        del cut[name]
        assert not VALIDATOR.is_valid(cut), name
    assert not VALIDATOR.is_valid({**whole, "more": 1})


def test_an_end_that_went_well_has_no_reason_and_any_other_has_one() -> None:
    well, badly = (document_of(NOTICES[kind]) for kind in ("improved", "failed"))
    assert not VALIDATOR.is_valid({**well, "reason": badly["reason"]})
    assert not VALIDATOR.is_valid({**badly, "reason": None})


def test_the_schema_explains_every_member() -> None:
    unexplained = []

    def look(path: str, schema: Mapping[str, Any]) -> None:
        for name, member in schema.get("properties", {}).items():
            if "description" not in member and "const" not in member:
                unexplained.append(f"{path}.{name}")
            look(f"{path}.{name}", member)
        for part in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
            look(path, part)

    for event, schema in SCHEMA["$defs"].items():
        look(event, schema)
    assert unexplained == []
