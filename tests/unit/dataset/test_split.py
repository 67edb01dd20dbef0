"""The hold-out: who is held out is decided by each prompt alone."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dataset.gsm8k_rows import WALKTHROUGH, gsm8k
from tests.unit.dataset.sample_rows import a_row, as_file, as_line, good_rows
from tunedrop.dataset.split import HoldOut, Split, holdout_fraction
from tunedrop.dataset.written_rows import Row, rows_of
from tunedrop.outcomes import DatasetInvalid


def split(body: bytes, **options: Any) -> tuple[list[bytes], list[bytes], Split]:
    train: list[Row] = []
    test: list[Row] = []
    holdout = HoldOut(train.append, test.append, **{"share": 0.1, **options})
    for row in rows_of(io.BytesIO(body)):
        holdout.add(row)
    done = holdout.close()
    assert (len(train), len(test)) == (done.train_rows, done.test_rows)
    return [row.text for row in train], [row.text for row in test], done


@pytest.mark.prove
def test_gsm8k_s_hold_out_does_not_move_a_row_when_100_are_added() -> None:
    body = gsm8k("train", WALKTHROUGH)
    added = b"".join(as_line(a_row(number)) + b"\n" for number in range(100))
    train, test, done = split(body)
    assert done.train_rows + done.test_rows == 7_473
    assert 650 < done.test_rows < 850
    for more in (added + body, body + added):
        later_train, later_test, _ = split(more)
        assert set(train) <= set(later_train)
        assert set(test) <= set(later_test)


@pytest.mark.prove
def test_the_split_of_gsm8k_is_the_same_in_every_process_and_version() -> None:
    _, test, _ = split(gsm8k("train", WALKTHROUGH))
    assert [json.loads(row)["ground_truth"] for row in test[:8]] == GROUND_TRUTHS_OF_THE_FIRST_HELD_OUT


# Fixed here once: another split would make runs of different days incomparable.
GROUND_TRUTHS_OF_THE_FIRST_HELD_OUT = ["60", "15", "25", "10", "32", "21", "70", "160"]


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [as_line(a_row(number)) for number in range(1_000)]
    _, test, _ = split(b"\n".join(rows))
    random.Random(7).shuffle(rows)
    _, again, _ = split(b"\n".join(rows))
    assert sorted(test) == sorted(again)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300), st.integers(0, 2**32))
def test_duplicates_stay_on_one_side_whatever_the_size(numbers: list[int], seed: int) -> None:
    source = random.Random(seed)
    spell = (str.upper, str.lower, lambda text: text.replace(" ", "  "))
    rows = [
        {"messages": [{"role": "user", "content": source.choice(spell)(f"How many legs do {n} ants have?")}], "n": n}
        for n in numbers
    ]
    train, test, done = split(as_file(rows).getvalue(), share=0.4)
    assert done.train_rows + done.test_rows == len(rows)
    assert not {json.loads(row)["n"] for row in train} & {json.loads(row)["n"] for row in test}


@pytest.mark.parametrize(("rows", "train_rows"), [(100, 100), (105, 100), (111, 100), (150, None)])
def test_the_training_side_keeps_the_service_s_least_number_of_rows(rows: int, train_rows: int | None) -> None:
    _, _, done = split(as_file(good_rows(rows)).getvalue(), share=0.2)
    assert done.train_rows + done.test_rows == rows
    assert done.train_rows == train_rows if train_rows else done.train_rows > 100


def test_the_rows_kept_for_training_are_those_with_the_highest_fractions() -> None:
    rows = good_rows(110)
    _, test, done = split(as_file(rows).getvalue(), share=0.3)
    assert done.train_rows == 100
    candidates = sorted(fraction for row in rows if (fraction := holdout_fraction(row["messages"][0]["content"])) < 0.3)
    held_out = [holdout_fraction(json.loads(row)["messages"][0]["content"]) for row in test]
    assert sorted(held_out) == candidates[: len(held_out)]


def test_a_file_of_one_prompt_goes_to_one_side() -> None:
    fractions = {n: holdout_fraction(a_row(n)["messages"][0]["content"]) for n in range(100)}
    for n in (min(fractions, key=fractions.__getitem__), max(fractions, key=fractions.__getitem__)):
        _, _, done = split(as_file([a_row(n)] * 3_000).getvalue())
        assert (done.train_rows == 0) is (fractions[n] < 0.1)
        assert 0 in (done.train_rows, done.test_rows)


def test_rows_are_written_as_they_are_and_blank_lines_left_out() -> None:
    rows = [as_line(a_row(number)).replace(b": ", b" :  ") for number in range(200)]
    train, test, _ = split(b"\xef\xbb\xbf" + b"\r\n\n".join(rows) + b"\n\n")
    assert sorted([*train, *test]) == sorted(rows)


@pytest.mark.parametrize("line", [b"{broken", b"[1]", b'{"messages": "x"}', b"{}"])
def test_what_was_not_checked_is_not_split(line: bytes) -> None:
    with pytest.raises(DatasetInvalid, match="line 121"):
        split(as_file([*good_rows(), line]).getvalue())


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_a_share_that_leaves_one_side_empty_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share: expected more than 0 and less than 1"):
        split(b"", share=share)
