"""Rows that come twice."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataset.sample_rows import a_row, check, found, good_rows
from tunedrop.dataset.duplicates import Keys, Tags
from tunedrop.dataset.findings import MAX_EXAMPLES


def twice(row: dict[str, Any], **other: Any) -> list[dict[str, Any]]:
    return [*good_rows(), {**row, **other}]


def test_the_same_prompt_and_answer_is_a_repeated_row() -> None:
    report = check(twice(a_row(5)))
    (finding,) = found(report, "duplicate-row")
    assert (finding.line, finding.got) == (121, "line 5 again")
    assert len(list(report.findings)) == 1
    assert report.valid


def test_case_and_white_space_do_not_make_another_prompt() -> None:
    for text in (
        "how many LEGS do 5 ants have?",
        " How  many\nlegs do\t5 ants have? ",
        "How many legs do \uff15 ants have?",
    ):
        report = check(twice({"messages": [{"role": "user", "content": text}], "reference_answer": "30"}))
        assert [finding.line for finding in found(report, "duplicate-prompt")] == [121], text


def test_another_number_or_sign_makes_another_prompt() -> None:
    rows = [
        {"messages": [{"role": "user", "content": text}], "reference_answer": "1"}
        for text in ("2 + 5", "2 - 5", "25 + 0", "2.5 + 0", "2 + 5 = ?")
    ]
    assert check([*good_rows(), *rows]).findings.groups() == []


def test_the_same_prompt_with_another_answer_is_a_conflict() -> None:
    assert [finding.line for finding in found(check(twice(a_row(5), reference_answer="31")), "duplicate-conflict")] == [
        121
    ]
    assert [
        finding.line for finding in found(check(twice(a_row(5), reference_answer={"n": 30})), "duplicate-conflict")
    ] == [121]


def test_an_object_is_the_same_answer_whatever_its_order() -> None:
    one, two = {"a": 1, "b": [2]}, {"b": [2], "a": 1}
    rows = [*good_rows(), a_row(300, reference_answer=one), a_row(300, reference_answer=two)]
    assert [finding.line for finding in found(check(rows), "duplicate-row")] == [122]


def test_parts_of_text_are_the_text_that_they_hold() -> None:
    parts = [{"type": "text", "text": "How many legs do 5 ants have?"}]
    report = check(twice({"messages": [{"role": "user", "content": parts}], "reference_answer": "30"}))
    assert [finding.line for finding in found(report, "duplicate-row")] == [121]


def test_another_system_message_makes_another_prompt() -> None:
    rows = [
        {"messages": [{"role": "system", "content": text}, *a_row(5)["messages"]], "reference_answer": "30"}
        for text in ("Be short.", "Be long.", "Be short.")
    ]
    assert [finding.line for finding in found(check([*good_rows(), *rows]), "duplicate-row")] == [123]


def test_many_repeats_are_counted_and_the_first_are_shown() -> None:
    report = check([a_row(n % 150) for n in range(3_000)])
    (group,) = report.findings.groups()
    assert (group.rule.id, group.count, group.lines()) == ("duplicate-row", 2_850, "151-3000")
    assert [finding.line for finding in group.examples] == list(range(151, 151 + MAX_EXAMPLES))
    assert group.examples[0].message == "the same prompt and answer as line 1"


@given(st.lists(st.integers(0, 30), max_size=300))
def test_every_repeated_key_is_found_with_its_first_place(numbers: list[int]) -> None:
    keys = Keys()
    spread = [0 if number == 0 else random.Random(number).getrandbits(63) + 1 for number in numbers]
    keys.extend(spread)
    expected = {(place, spread.index(key)) for place, key in enumerate(spread) if key and spread.index(key) != place}
    assert set(keys.repeats()) == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50))
def test_a_tag_is_the_same_for_the_same_key(keys: list[int]) -> None:
    tags = Tags()
    tags.extend(keys)
    tags.extend(keys)
    assert [tags[place] for place in range(len(keys))] == [tags[len(keys) + place] for place in range(len(keys))]
    assert len({tags[place] for place in range(len(keys))}) <= len(set(keys))
