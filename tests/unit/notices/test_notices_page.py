"""docs/notices.md shows the notices that are, and names the states that publish them."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from checks import notices_page
from tunedrop.dataset.description import reason
from tunedrop.dataset.with_recipe import check_with_recipe
from tunedrop.recipe_resolution import resolve

PAGE = notices_page.PAGE.read_text()
SAMPLES = notices_page.samples()
SCHEMA = json.loads((notices_page.ROOT / "events/schemas/notice.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
_ROW = re.compile(r"^\| `(\w+)` \| .* \| (state|function) `(\w+)`(?: of `(\w+)`)? \|", re.MULTILINE)


def test_the_page_shows_every_sample_as_it_is() -> None:
    assert notices_page.filled(PAGE) == PAGE, "run: python -m checks.notices_page"
    assert sorted(notices_page.slots(PAGE)) == sorted(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_keeps_the_schema(name: str) -> None:
    VALIDATOR.validate(SAMPLES[name]["message"])


def test_the_sample_of_a_rejected_dataset_says_what_the_check_says_now() -> None:
    report = check_with_recipe(io.BytesIO(b"{}\n"), test=None, recipe=resolve({}, "us-west-2"))
    folder = SAMPLES["rejected"]["message"]["report_uri"].removesuffix("report.html")
    assert SAMPLES["rejected"]["message"]["reason"]["message"] == reason(report, f"{folder}findings.html")


def test_there_is_a_sample_of_every_event_and_of_every_end() -> None:
    told = [sample["message"] for sample in SAMPLES.values()]
    assert {each["event"] for each in told} == set(SCHEMA["$defs"])
    ends = {each["status"] for each in told if each["event"] == "run_ended"}
    assert ends == {"SUCCEEDED", "REJECTED", "FAILED", "CANCELLED"}


def test_the_table_names_every_event_and_who_publishes_it() -> None:
    rows = _ROW.findall(PAGE)
    assert {event for event, _, _, _ in rows} == set(SCHEMA["$defs"])
    publishing = {
        (machine, state)
        for machine in ("rft_pipeline", "aftermath")
        for state, definition in _states(machine).items()
        if definition.get("Resource", "").endswith(":sns:publish")
    }
    assert {(machine, name) for _, kind, name, machine in rows if kind == "state"} == publishing
    assert {name for _, kind, name, _ in rows if kind == "function"} == {"InboxWatch", "PromoteModel", "SweepRuns"}


def _states(machine: str) -> dict[str, Any]:
    text = (notices_page.ROOT / f"statemachine/{machine}.asl.yaml").read_text()
    states: dict[str, Any] = yaml.safe_load(text)["States"]
    return states


def test_every_attribute_that_a_sample_has_is_in_the_table() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \| .* \| .* \|$", PAGE[PAGE.index("\n## Attributes\n") :], re.MULTILINE))
    assert {name for sample in SAMPLES.values() for name in sample["attributes"]} == listed


def test_a_filter_policy_asks_only_for_attributes_that_there_are() -> None:
    known = {name for sample in SAMPLES.values() for name in sample["attributes"]}
    policies = notices_page.filter_policies()
    assert len(policies) >= 6
    for wish, policy in policies.items():
        assert policy.keys() <= known, wish
