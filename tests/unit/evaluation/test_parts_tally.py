"""What fields, tests and labels cost over all rows."""

from __future__ import annotations

import pytest

from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.parts_tally import MOST_LABELS, MOST_NAMES, NOTHING, OTHERS, PartsTally
from tunedrop.graders.sample import Part


def answer(*parts: Part, candidate: str = TUNED, row: int = 0, graded: bool = True) -> Answer:
    return Answer(row, 0, candidate, "", "text", reward=0.5 if graded else None, parts=parts)


def test_fields_are_told_with_their_share_and_their_cost_the_dearest_first() -> None:
    tally = PartsTally("json")
    tally.add(answer(Part("/a", 1.0, 0.0), Part("/b", 0.0, 0.5)))
    tally.add(answer(Part("/a", 0.5, 0.25), Part("/b", 0.0, 0.5)))
    tally.add(answer(Part("/a", 0.0, 1.0), graded=False))
    told = tally.to_json()
    assert told is not None
    assert told["of"] == "fields"
    assert [(row["name"], row["candidates"][TUNED]) for row in told["rows"]] == [
        ("/b", {"answers": 2, "right": 0, "credit": 0.0, "cost": 0.5}),
        ("/a", {"answers": 2, "right": 1, "credit": 0.75, "cost": 0.125}),
    ]


def test_what_a_composite_is_made_of_is_told_as_parts() -> None:
    tally = PartsTally("composite")
    tally.add(answer(Part("facts", 0.5, 0.25), Part("facts: /a", 0.0, 0.0)))
    told = tally.to_json()
    assert told is not None
    assert (told["of"], [row["name"] for row in told["rows"]]) == ("parts", ["facts", "facts: /a"])


def test_tests_are_told_by_how_many_passed() -> None:
    tally = PartsTally("code")
    for credits_ in ((1.0, 1.0), (1.0, 0.0), (0.0, 0.0)):
        tally.add(
            answer(*(Part(f"test {number}", credit, 0.0) for number, credit in enumerate(credits_)), candidate=BASE)
        )
    assert tally.to_json() == {"of": "tests", "passed": {BASE: {"all": 1, "some": 1, "none": 1}}}


def test_one_label_for_another_is_a_cell_of_the_confusion_matrix() -> None:
    tally = PartsTally("moderation")
    tally.add(answer(Part("spam", 1.0, 0.0, "yes", "yes")))
    tally.add(answer(Part("fine", 0.0, 0.5, "yes", "no"), Part("spam", 0.0, 0.5, "no", "yes")))
    tally.add(answer(Part("fine", 0.0, 1.0, "yes", "no")))
    told = tally.to_json()
    assert told is not None
    matrix = told["confusion"][TUNED]
    assert matrix == {"right": ["fine", "spam"], "given": ["fine", "spam", NOTHING], "counts": [[0, 1, 1], [0, 1, 0]]}
    spam = next(row["candidates"][TUNED] for row in told["rows"] if row["name"] == "spam")
    assert (spam["expected"], spam["given"], spam["both"]) == (1, 2, 1)


def test_a_label_called_as_a_method_of_an_object_is_a_label() -> None:
    tally = PartsTally("moderation")
    tally.add(answer(Part("__proto__", 1.0, 0.0, "yes", "yes")))
    told = tally.to_json()
    assert told is not None
    assert told["confusion"][TUNED]["right"] == ["__proto__"]


@pytest.mark.parametrize("kind", ["json", "moderation"])
def test_names_that_answers_make_up_are_bounded(kind: str) -> None:
    tally = PartsTally(kind)
    for number in range(3 * MOST_NAMES):
        tally.add(answer(Part(f"name {number}", 1.0, 0.0, "yes", "yes"), row=number))
    told = tally.to_json()
    assert told is not None
    assert len(told["rows"]) == MOST_NAMES + 1
    assert sum(row["candidates"][TUNED]["answers"] for row in told["rows"]) == 3 * MOST_NAMES
    if kind == "moderation":
        matrix = told["confusion"][TUNED]
        assert len(matrix["right"]) == MOST_LABELS + 1
        assert matrix["right"][-1] == OTHERS
        assert sum(map(sum, matrix["counts"])) == 3 * MOST_NAMES


def test_a_grader_without_parts_has_no_table() -> None:
    tally = PartsTally("math")
    tally.add(answer())
    assert tally.to_json() is None
