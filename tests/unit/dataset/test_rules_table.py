"""The rules as data: each is complete, none is stricter than its source, and the documentation shows them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunedrop.catalog import Family
from tunedrop.dataset.bounds import MAX_DEPTH, MAX_LINE_BYTES, MAX_ROWS, MIN_ROWS
from tunedrop.dataset.row_format import FORMATS
from tunedrop.dataset.rule import Rule, Severity
from tunedrop.dataset.rules import RULES

DOCUMENTATION = Path(__file__).parents[3] / "docs/datasets.md"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert set(rule.severity) == set(Family)
    assert any(rule.severity.values())
    assert rule.reason.endswith(".")
    assert ". " not in rule.reason  # one sentence
    for words in (rule.source, rule.expected, rule.hint):
        assert words.strip()


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if "UNCONFIRMED" in rule.source], ids=lambda rule: rule.id
)
def test_what_is_unconfirmed_is_at_most_a_warning(rule: Rule) -> None:
    assert rule.severity[Family.OPEN_WEIGHT] is not Severity.ERROR
    if "for open-weight models UNCONFIRMED" not in rule.source:
        assert rule.severity[Family.NOVA] is not Severity.ERROR


def test_the_bounds_are_those_of_the_service() -> None:
    assert (MIN_ROWS, MAX_ROWS) == (100, 20_000)
    # Lambda's limit for a synchronous invocation is 6 MB; the batch wraps the row with the model's answer.
    assert MAX_LINE_BYTES < 6_000_000
    assert MAX_DEPTH < 1_000


def test_the_families_differ_in_data_only() -> None:
    assert FORMATS[Family.OPEN_WEIGHT].roles == FORMATS[Family.NOVA].roles
    for each in FORMATS.values():
        assert not each.roles & each.other_roles
        assert all(text == text.lower() for text in each.reserved_texts)


def rules_as_markdown() -> str:
    lines = ["| Rule | Open-weight | Nova | Why | Source |", "|---|---|---|---|---|"]
    for rule in RULES.values():
        severities = (str(rule.severity[family] or "–") for family in (Family.OPEN_WEIGHT, Family.NOVA))
        mark = " ✎" if rule.fixable else ""
        lines.append(f"| `{rule.id}`{mark} | {' | '.join(severities)} | {rule.reason} | {rule.source} |")
    return "\n".join(lines)


def test_the_documentation_shows_every_rule_as_it_is() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == rules_as_markdown(), f"put this between {BEGIN} and {END}:\n{rules_as_markdown()}"
