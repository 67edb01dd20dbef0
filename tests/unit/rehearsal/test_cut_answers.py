"""Answers that are cut off, and thoughts that never end, are counted apart and told with what to do."""

from __future__ import annotations

import pytest

from tunedrop.graders.graded import Graded
from tunedrop.rehearsal.cut_answers import advice_on_cut_answers, cut_figures
from tunedrop.sampling.question import Reply

WHOLE, CUT = Reply("2", "stop", 5, 300), Reply("<think>1 and", "length", 5, 1024)
RIGHT, UNFINISHED = Graded("a", 1.0), Graded("b", 0.0, components={"unfinished_thought": 1.0})


def test_whole_answers_are_nothing_to_warn_of() -> None:
    figures = cut_figures([WHOLE] * 4, [RIGHT] * 4)

    assert figures == {"truncated": 0, "unfinished_thoughts": 0, "max_tokens_to_try": None}
    assert advice_on_cut_answers(figures) is None


def test_cut_answers_are_told_with_the_length_to_try_next() -> None:
    told = advice_on_cut_answers(cut_figures([WHOLE, CUT], [RIGHT, RIGHT]))

    assert told == (
        "50% of the answers were cut off at the recipe's `evaluation.max_tokens`.",
        "Raise `evaluation.max_tokens` to 2048.",
    )


@pytest.mark.parametrize("reply", [WHOLE, CUT])
def test_unfinished_thoughts_are_told_apart_with_the_effort_to_lower(reply: Reply) -> None:
    told = advice_on_cut_answers(cut_figures([WHOLE, WHOLE, WHOLE, reply], [RIGHT, RIGHT, RIGHT, UNFINISHED]))

    assert told is not None
    assert "25% ended within the model's thoughts" in told[0]
    assert "reasoning_effort" in told[1]
