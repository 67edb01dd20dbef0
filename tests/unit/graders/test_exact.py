"""The exact grader: what is equal, what is chosen, and what is refused as options."""

from __future__ import annotations

from typing import Any

import pytest

from tunedrop.graders.exact import ExactGrader
from tunedrop.graders.sample import Grade, OptionsError, Sample


def grade(answer: str, reference: Any, options: dict[str, Any] | None = None, **row: Any) -> Grade:
    grader = ExactGrader.from_options(options or {})
    return grader.grade_quickly(Sample("s", [], answer, reference, row))


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("Paris", "Paris"),
        ("  paris.\n", "Paris"),
        ("New  York", "new york"),
        ("“Paris”", "Paris"),
        ("\uff30aris", "Paris"),
        ("Paris", ["London", "Paris"]),
        ("Paris", {"answer": "Paris"}),
        ("42", 42),
        ("3,000", "3000"),
        ("1234567 items", "1,234,567 items"),
    ],
)
def test_texts_are_equal_but_for_case_punctuation_and_space(answer: str, reference: Any) -> None:
    assert grade(answer, reference).reward == 1.0


@pytest.mark.parametrize("answer", ["London", "Paris or London", "It is Paris", "", "Par is"])
def test_another_text_is_worth_nothing(answer: str) -> None:
    assert grade(answer, "Paris").reward == 0.0


@pytest.mark.parametrize("answer", ["1,2", "1,2345", "0,012", "12,34,567"])
def test_a_comma_that_parts_no_thousands_counts(answer: str) -> None:
    assert grade(answer, answer.replace(",", "")).reward == 0.0


def test_case_and_punctuation_count_when_they_are_asked_for() -> None:
    strict = {"ignore_case": False, "ignore_punctuation": False}
    assert grade("Paris", "Paris", strict).reward == 1.0
    assert grade("paris", "Paris", strict).reward == 0.0
    assert grade("Paris.", "Paris", strict).reward == 0.0


def test_only_what_stands_after_the_last_marker_is_compared() -> None:
    options = {"after": "ANSWER:"}
    assert grade("ANSWER: London\nno,\nANSWER: Paris\nbecause", "Paris", options).reward == 1.0
    assert grade("Paris", "Paris", options).reward == 0.0


def test_a_pattern_extracts_its_last_match() -> None:
    assert grade("city=London; city=Paris;", "Paris", {"extract": r"city=(\w+)"}).reward == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        "C",
        "(C)",
        "C.",
        "**C**",
        "The answer is C.",
        "The answer is (C) Paris.",
        "The correct answer is option C",
        "Answer: C",
        "**Answer:** (C)",
        r"\boxed{C}",
        r"So it is $\boxed{\text{C}}$.",
        "A is wrong, B is wrong.\n\nC) Paris",
        "I would choose option C because B is too far north.",
        "#### C",
        "First I thought the answer is B. But no: the answer is C.",
    ],
)
def test_the_chosen_letter_is_found(answer: str) -> None:
    assert grade(answer, "C", {"mode": "choice"}).reward == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        "B",
        "The answer is B or C.",
        "C or B",
        "(B), (C)",
        "The answer is A, B, C, D",
        "",
        "Cats are nice",
        "A and C",
        "Z",
    ],
)
def test_several_letters_or_none_are_no_choice(answer: str) -> None:
    assert grade(answer, "C", {"mode": "choice"}).reward == 0.0


def test_a_choice_may_be_named_by_its_text() -> None:
    choices = ["London", "Rome", "Paris"]
    assert grade("The answer is Paris.", "C", {"mode": "choice"}, choices=choices).reward == 1.0
    assert grade("C", "Paris", {"mode": "choice"}, choices=choices).reward == 1.0
    assert grade("The answer is Rome.", "C", {"mode": "choice"}, choices=choices).reward == 0.0


def test_f1_is_squads() -> None:
    # 2 words in common of 3 and 4 (articles left out): 2·2 / (3 + 4).
    found = grade("the cat sat down", "a cat sat on mats", {"mode": "f1"})
    assert found.reward == pytest.approx(4 / 7)
    assert found.correct is False
    assert grade("cat cat cat", "cat", {"mode": "f1"}).reward == pytest.approx(0.5)


def test_similarity_is_paid_in_part_or_only_from_a_threshold_on() -> None:
    partial = grade("kitten", "sitting", {"mode": "fuzzy"})
    strict = grade("kitten", "sitting", {"mode": "fuzzy", "pass_at": 0.9, "partial": False})
    lenient = grade("kitten", "sitting", {"mode": "fuzzy", "pass_at": 0.5, "partial": False})

    assert partial.reward == pytest.approx(8 / 13)  # 1 - 5 edits (without substitution) of 13 letters
    assert (strict.reward, lenient.reward) == (0.0, 1.0)
    assert grade("", "sitting", {"mode": "fuzzy"}).reward == 0.0


def test_a_pattern_must_match_the_whole_answer_unless_told_otherwise() -> None:
    assert grade("abc-123", r"[a-z]+-\d+", {"mode": "regex"}).reward == 1.0
    assert grade("see abc-123", r"[a-z]+-\d+", {"mode": "regex"}).reward == 0.0
    assert grade("see abc-123", r"[a-z]+-\d+", {"mode": "regex", "full_match": False}).reward == 1.0


def test_a_pattern_that_others_choke_on_takes_linear_time() -> None:
    assert grade("a" * 20_000 + "b", r"(a+)+$", {"mode": "regex"}).reward == 0.0


@pytest.mark.parametrize("options", [{"mode": "text"}, {"mode": "choice"}, {"mode": "f1"}, {"mode": "fuzzy"}])
def test_a_reference_that_everything_would_equal_is_refused(options: dict[str, Any]) -> None:
    grader = ExactGrader.from_options(options)
    assert grader.check_reference("...", {}) is not None
    assert grader.check_reference(None, {}) is not None


def test_a_reference_that_is_no_pattern_is_refused() -> None:
    fault = ExactGrader.from_options({"mode": "regex"}).check_reference("(", {})
    assert fault is not None
    assert "no RE2 pattern" in fault


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modus": "text"}, "no option 'modus'"),
        ({"mode": "contains"}, "expected one of text, choice"),
        ({"pass_at": 2}, "at most 1"),
        ({"ignore_case": "yes"}, "must be true or false"),
        ({"mode": "regex", "pattern": "("}, "no RE2 pattern"),
    ],
)
def test_an_option_that_does_not_exist_or_fit_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        ExactGrader.from_options(options)
