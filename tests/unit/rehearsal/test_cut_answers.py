"""Answers that are cut off, and thoughts that never end, are counted apart and told with what to do."""

from __future__ import annotations

import pytest

from tunedrop.graders.graded import Graded
from tunedrop.rehearsal.cut_answers import advice_on_cut_answers, cut_figures
from tunedrop.rehearsal.sampling import Group
from tunedrop.sampling.question import Reply

WHOLE, CUT = Reply("2", "stop", 5, 300), Reply("<think>1 and", "length", 5, 1024)
LONG = Reply("1 and 1 and", "length", 5, 1024)
WRONG = Graded("c", 0.0)
RIGHT, UNFINISHED = Graded("a", 1.0), Graded("b", 0.0, components={"unfinished_thought": 1.0})


def test_whole_answers_are_nothing_to_warn_of() -> None:
    figures = cut_figures([WHOLE] * 4, [RIGHT] * 4)

    assert figures == {"truncated": 0, "truncated_paid": 0, "unfinished_thoughts": 0, "max_tokens_to_try": None}
    assert advice_on_cut_answers(figures) is None


def test_cut_answers_are_told_with_the_length_to_try_next() -> None:
    told = advice_on_cut_answers(cut_figures([WHOLE, LONG], [RIGHT, WRONG]))

    assert told == (
        "50% of the answers were cut off at the recipe's `evaluation.max_tokens`. They do not count in the mean "
        "reward, nor in the groups with signal.",
        "Raise `evaluation.max_tokens` to 2048.",
    )


def test_a_cut_answer_that_is_paid_is_said_to_be_and_counts_in_no_group() -> None:
    figures = cut_figures([WHOLE, LONG], [WRONG, RIGHT])
    told = advice_on_cut_answers(figures)

    assert figures["truncated_paid"] == 0.5
    assert told is not None
    assert "The grader paid for 50% all the same" in told[0]
    group = Group({}, [WHOLE, LONG, WHOLE], [WRONG, RIGHT, WRONG])
    assert group.rewards == [0.0, 0.0]
    assert not group.has_signal


def test_no_more_room_is_advised_than_a_recipe_may_ask_for() -> None:
    assert cut_figures([Reply("1 and", "length", 5, 65_536)], [WRONG])["max_tokens_to_try"] is None
    assert cut_figures([Reply("1 and", "length", 5, 40_000)], [WRONG])["max_tokens_to_try"] == 65_536


def test_thoughts_that_a_grader_says_nothing_of_are_seen_in_the_text() -> None:
    assert cut_figures([Reply("<think>1 and", "stop", 5, 9)], [WRONG])["unfinished_thoughts"] == 1


@pytest.mark.parametrize("reply", [WHOLE, CUT])
def test_unfinished_thoughts_are_told_apart_with_the_effort_to_lower(reply: Reply) -> None:
    told = advice_on_cut_answers(cut_figures([WHOLE, WHOLE, WHOLE, reply], [RIGHT, RIGHT, RIGHT, UNFINISHED]))

    assert told is not None
    assert "25% ended within the model's thoughts" in told[0]
    assert "reasoning_effort" in told[1]


def test_an_answer_cut_off_before_its_first_word_has_unfinished_thoughts() -> None:
    thought = Reply("", "length", 5, 1024, thought="1 and")
    assert cut_figures([thought], [WRONG])["unfinished_thoughts"] == 1
    assert cut_figures([Reply("", "length", 5, 1024)], [WRONG])["unfinished_thoughts"] == 0
    assert cut_figures([Reply("", "stop", 5, 9, thought="1 and")], [WRONG])["unfinished_thoughts"] == 0
