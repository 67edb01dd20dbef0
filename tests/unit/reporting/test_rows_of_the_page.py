"""The rows of the report's page: their index, their texts, and the files beside the page."""

from __future__ import annotations

import json

import pytest

from tests.unit.reporting.sample_run import sampled_run
from tunedrop.evaluation.answers import BASE, TUNED, Answer
from tunedrop.evaluation.tally import Tally
from tunedrop.graders.sample import Part
from tunedrop.reporting.row_index import DIGITS, NONE, row_index, states
from tunedrop.reporting.row_texts import FILE_BYTES, PAGE_BYTES, Limits, RowTexts, row_text, told_answer


def answer(row: int, candidate: str, reward: float | None, *, finish: str = "stop", text: str = "4") -> Answer:
    right = None if reward is None else reward >= 1
    return Answer(row, 0, candidate, "", text, finish_reason=finish, reward=reward, correct=right)


def a_tally() -> Tally:
    """A row of each state: went wrong, still wrong, not graded (truncated), came right, still right."""
    tally = Tally(rows=5)
    for row, (was, now) in enumerate([(1.0, 0.0), (0.5, 0.25), (1.0, 1.0), (0.0, 1.0), (1.0, 1.0)]):
        tally.add(answer(row, BASE, was))
        tally.add(answer(row, TUNED, now, finish="length" if row == 2 else "stop"))
    return tally


def test_each_row_has_the_state_that_its_two_models_give_it() -> None:
    assert states(a_tally()) == "lwugr"


def test_a_row_is_still_right_only_if_all_its_answers_are() -> None:
    tally = Tally(rows=1, samples=2)
    for candidate in (BASE, TUNED):
        for sample in range(2):
            tally.add(Answer(0, sample, candidate, "", "4", reward=float(sample), correct=bool(sample)))
    assert states(tally) == "w"


def test_the_index_gives_back_rewards_lines_and_labels() -> None:
    index = row_index(
        a_tally(),
        labels={"topic": ["a", None, "b", "a", "a"], "empty": [None] * 5},
        models={},
        file="t.jsonl",
        lines=range(2, 7),
    )

    def number(digits: str, row: int) -> int:
        return DIGITS.index(digits[2 * row]) * 64 + DIGITS.index(digits[2 * row + 1])

    tuned = index["rewards"][1]
    assert [index["levels"][number(tuned, row)] for row in (0, 1, 3)] == [0.0, 0.25, 1.0]
    assert tuned[4:6] == NONE
    assert (index["file"], index["lines"]) == ("t.jsonl", [2, 3, 4, 5, 6])
    assert index["cut"] == "00100"
    (topic,) = index["slices"]
    assert [topic["labels"][number(topic["rows"], row)] for row in (0, 2)] == ["a", "b"]
    assert topic["rows"][2:4] == NONE


def test_lines_that_do_not_fit_the_rows_are_not_told() -> None:
    index = row_index(a_tally(), labels={}, models={}, file="t.jsonl", lines=[1, 2])
    assert (index["file"], index["lines"]) == (None, None)


def test_more_rewards_than_two_digits_can_name_are_rounded() -> None:
    tally = Tally(rows=9_000)
    for row in range(9_000):
        for candidate in (BASE, TUNED):
            tally.add(answer(row, candidate, row / 9_000))
    levels = row_index(tally, labels={}, models={})["levels"]
    assert len(levels) == 4_001
    assert levels == sorted(levels)


def test_a_row_is_told_with_its_line_and_its_answers_apart_from_their_thoughts() -> None:
    told = Answer(
        3,
        0,
        TUNED,
        "",
        "<think>hm</think>4",
        reward=0.5,
        correct=False,
        explanation="no",
        parts=(Part("/a", 0.0, 0.5),),
    )
    text = row_text(
        3,
        b'{"a": 1}',
        prompt="p",
        reference="r",
        answers=[told_answer(told, 1, Limits(100, 100))],
        limits=Limits(100, 100),
    )
    assert json.loads(text) == [
        3, '{"a": 1}', "", "", [[1, 0, "4", "hm", 0.5, False, None, "no", None, [["/a", 0.0, 0.5, "", ""]]]],
    ]  # fmt: skip


def test_a_thought_that_came_beside_the_answer_is_told_as_one_within_it() -> None:
    beside = Answer(3, 0, TUNED, "", "4", reward=1.0, correct=True, thought="2 and 2")
    within = Answer(3, 0, TUNED, "", "<think>2 and 2</think>4", reward=1.0, correct=True)
    limits = Limits(100, 100)
    assert told_answer(beside, 1, limits) == told_answer(within, 1, limits)
    assert told_answer(beside, 1, limits)[2:4] == ["4", "2 and 2"]


def test_a_row_that_is_too_long_keeps_the_ends_of_its_prompt_and_reference() -> None:
    limits = Limits(answer=300, row=40)
    number, line, prompt, reference, _ = json.loads(
        row_text(0, b"x" * 50, prompt="p" * 100, reference="r", answers=[], limits=limits)
    )
    assert (number, line, reference) == (0, None, "r")
    assert "characters left out" in prompt


def test_a_lone_surrogate_does_not_stop_a_report() -> None:
    limits = Limits(300, 300)
    told = told_answer(answer(0, BASE, 1.0, text="a\ud800b"), 0, limits)
    assert "a\ufffdb" in row_text(0, b"{}", prompt="", reference="", answers=[told], limits=limits).decode()


@pytest.mark.parametrize(("rows", "answers"), [(10, 20), (20_000, 300_000)])
def test_answers_are_cut_so_that_all_of_them_have_room(rows: int, answers: int) -> None:
    limits = Limits.of(rows=rows, answers=answers)
    assert limits.answer * answers <= 100_000_000
    assert limits.answer >= 300


def test_a_small_run_has_all_rows_in_the_page_and_no_file() -> None:
    run = sampled_run(40)
    assert run.files == {}
    assert run.rows.files == []
    assert len(run.rows.texts) == 40


def test_a_large_run_has_all_rows_in_files_and_the_page_the_weightiest() -> None:
    texts = {row: json.dumps([row, "<" * 1_000]).encode() for row in range(2_000)}
    of_rows = "".join("lwugr"[row % 5] for row in range(2_000))
    files: dict[str, bytes] = {}
    made = RowTexts(of_rows, files.__setitem__)
    for row, text in texts.items():
        made.add(row, text)
    page = made.close({"rows": 2_000})

    read: dict[int, bytes] = {}
    for name, first, rows in page.files:
        script = files.pop(name)
        assert script.startswith(b"tunedropRows([")
        assert len(script) <= FILE_BYTES + 2_000
        part = json.loads(script.removeprefix(b"tunedropRows(").rstrip()[:-2])
        assert [row for row, _ in part] == list(range(first, first + rows))
        read |= {row: json.dumps([row, text]).encode() for row, text in part}
    assert files == {}
    assert read == texts

    kept = [json.loads(text)[0] for text in page.texts]
    assert kept == sorted(kept)
    assert sum(len(text) + 5 * text.count(b"<") for text in page.texts) <= PAGE_BYTES
    assert {of_rows[row] for row in kept} == {"l"}
