"""Whether a reference can be used is told before all of it is read, and to the same answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.hostile_answers import ATTACKS, hostile
from tunedrop.graders.exact import MAX_TEXT, ExactGrader
from tunedrop.graders.math.expected import expected_answers, names_answer

PIECES = st.sampled_from(
    ["#### ", "####", "72", "\\boxed{", "\\boxed{4}", "}", "The answer is ", "final answer: ", "**", "- ", "> ", "…",
     ".", "the", "The a an", "x-y", "1,234", "\n", " ", "\u200b", "\u0301", "ﬁ", "½", "Ⅷ", "é", "۴", "—", "---",
     "_", "~~", "`", "“", "”", "!", "%", " °", "so ", "x = ", "≈", "\ue000", "\\frac{1}{2}", "(B)", "\U0001d7d8"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join)


@given(TEXTS | st.lists(TEXTS, max_size=3) | st.dictionaries(st.sampled_from(["answer", "x"]), TEXTS) | st.floats())
def test_a_reference_names_an_answer_where_one_is_expected(reference: str | list[str] | dict[str, str] | float) -> None:
    assert names_answer(reference) == bool(expected_answers(reference))


def test_hostile_references_are_told_alike() -> None:
    for name, answer, reference in hostile(len(ATTACKS)):
        for text in (answer[-1_000:], reference):
            assert names_answer(text) == bool(expected_answers(text)), name


@given(TEXTS, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["text", "f1", "fuzzy"]))
def test_exact_refuses_what_nothing_is_left_of(text: str, case: bool, marks: bool, articles: bool, mode: str) -> None:
    grader = ExactGrader.from_options(
        {"mode": mode, "ignore_case": case, "ignore_punctuation": marks, "ignore_articles": articles}
    )
    refused = grader.check_reference(text, {}) is not None
    assert refused == (not text.strip() or not grader._normal(text))


def test_exact_looks_no_further_than_it_compares() -> None:
    grader = ExactGrader.from_options({})
    assert grader.check_reference("." * MAX_TEXT + "Paris", {}) is not None
    assert grader.check_reference("." * (MAX_TEXT - 5) + "Paris", {}) is None
