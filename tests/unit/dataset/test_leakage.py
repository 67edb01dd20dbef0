"""What a test file shares with the training file."""

from __future__ import annotations

import functools
import io
import json
from typing import Any

import pytest

from tests.unit.dataset.gsm8k_rows import WALKTHROUGH, gsm8k
from tests.unit.dataset.sample_rows import a_row, check, found, good_rows
from tunedrop.catalog import Family
from tunedrop.dataset.check import check_dataset
from tunedrop.dataset.leakage import LONGEST, LeakageIndex, words_of
from tunedrop.dataset.report import DatasetReport


def asking(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "reference_answer": "6"}


@functools.cache
def report_on_gsm8k(prompt: str | None) -> DatasetReport:
    """What the check says to GSM8K's two files, each question within this prompt."""
    return check_dataset(
        io.BytesIO(gsm8k("train", prompt)), test=io.BytesIO(gsm8k("test", prompt)), family=Family.OPEN_WEIGHT
    )


@pytest.mark.prove
@pytest.mark.parametrize(
    "prompt",
    [
        None,
        WALKTHROUGH,
        "You are good at maths. Answer this: {question}",
        "{question} Answer.",
    ],
)
def test_gsm8k_s_known_overlaps_are_found_whatever_the_prompt_template(prompt: str | None) -> None:
    report = report_on_gsm8k(prompt)
    assert report.leakage is not None
    assert (report.rows, report.leakage.test_rows) == (7_473, 1_319)
    assert report.leakage.exact == 0
    assert report.leakage.runs == {8: 80, 10: 9, 13: 3}
    assert [finding.line for finding in found(report, "leakage-overlap")] == [633, 603, 582]
    assert report.valid


def test_the_pairs_are_shown_with_both_lines_and_the_run() -> None:
    report = report_on_gsm8k(None)
    assert report.leakage is not None
    first = report.leakage.pairs[0]
    assert (first.test_line, first.train_line, first.words) == (633, 21, 25)
    test_words, train_words = (" ".join(words_of(text)) for text in (first.test_text, first.train_text))
    assert first.run in test_words
    assert first.run in train_words
    assert len(first.run.split()) == 25


def test_a_test_prompt_that_is_trained_on_is_an_error_with_both_lines() -> None:
    test = [a_row(500), asking("HOW many  legs do 7 ants have?")]
    report = check(good_rows(), test=test)
    (finding,) = found(report, "leakage-exact")
    assert (finding.file, finding.line, finding.got) == ("test", 2, "training line 7")
    assert not report.valid


def test_the_wording_that_all_prompts_share_is_no_leak() -> None:
    shared = "Think about it for as long as you need, then write the answer on the last line after a hash."
    train = [asking(f"What is {n} times seven? {shared}") for n in range(200)]
    test = [asking(f"Which is more, {n} or nine? {shared}") for n in range(1_000, 1_050)]
    report = check(train, test=test)
    assert report.leakage is not None
    assert report.leakage.runs == {8: 0, 10: 0, 13: 0}


def test_wording_that_most_but_not_all_prompts_share_is_no_leak_either() -> None:
    shared = "think about it for as long as you need then write the answer on the last line"
    train = [asking(f"What is {n} times seven? {shared}") for n in range(200)]
    test = [asking(f"Which is more {n} or nine {shared if n % 5 else ''} {n}?") for n in range(1_000, 1_050)]
    report = check(train, test=test)
    assert report.leakage is not None
    assert report.leakage.runs == {8: 0, 10: 0, 13: 0}


@pytest.mark.parametrize(("words", "counted"), [(7, (0, 0, 0)), (8, (1, 0, 0)), (10, (1, 1, 0)), (13, (1, 1, 1))])
def test_a_run_counts_for_the_lengths_that_it_reaches(words: int, counted: tuple[int, ...]) -> None:
    run = " ".join(f"w{n}" for n in range(words))
    report = check([*good_rows(), asking(f"left {run} right")], test=[asking(f"Other {run.upper()}, words!")])
    assert report.leakage is not None
    assert tuple(report.leakage.runs.values()) == counted


def test_a_run_is_followed_to_its_bound() -> None:
    run = " ".join(f"w{n}" for n in range(3 * LONGEST))
    index = LeakageIndex()
    index.add(1, run, run)
    index.finish()
    index.compare(9, "another", f"so {run}")
    (pair,) = index.pairs()
    assert (pair.words, pair.test_line, pair.train_line) == (LONGEST, 1, 9)


def test_what_is_private_in_a_pair_is_not_shown() -> None:
    text = "please write to jane.doe@corp.example about the seven ants that live in the red house"
    report = check([*good_rows(), asking(f"Now {text}")], test=[asking(f"Then {text}")])
    assert found(report, "leakage-overlap")
    assert "jane.doe" not in json.dumps(report.to_json()["statistics"])


def test_a_conversation_is_compared_by_what_the_user_says() -> None:
    run = " ".join(f"w{n}" for n in range(13))
    train = {
        "messages": [{"role": "system", "content": run}, {"role": "user", "content": "x"}],
        "reference_answer": "6",
    }
    report = check([*good_rows(), train], test=[asking(run)])
    assert report.leakage is not None
    assert report.leakage.runs[8] == 0
