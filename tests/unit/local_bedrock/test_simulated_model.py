"""What the simulated model says, how often, and that it can be repeated."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from local.bedrock.catalog import BASE_MODELS
from local.bedrock.policy import Policy
from local.bedrock.prompts import prompt_key
from local.bedrock.records import Records
from local.bedrock.rows import RowBook
from local.bedrock.simulated_model import UNKNOWN_PROMPT, SimulatedModel

POLICY = BASE_MODELS[0].policy


def asked(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f'Problem {number}: end with "####".'}]


@pytest.fixture
def rows() -> RowBook:
    book = RowBook(Records(None))
    lines = [
        json.dumps({"messages": asked(number), "reference_answer": f"#### {number + 100}"}) for number in range(400)
    ]
    assert book.teach("\n".join(lines).encode()) == (400, 0)
    return book


def test_the_same_question_with_the_same_seed_has_the_same_answers(rows: RowBook) -> None:
    first = SimulatedModel(rows).answers(POLICY, asked(1), count=8, seed=5)
    assert SimulatedModel(rows).answers(POLICY, asked(1), count=8, seed=5) == first
    assert SimulatedModel(rows).answers(POLICY, asked(1), count=8, seed=6) != first
    assert len({answer.text for answer in first}) > 1


def test_without_a_seed_a_repeated_question_is_answered_anew_but_repeatably(rows: RowBook) -> None:
    model = SimulatedModel(rows)
    one_by_one = [model.answers(POLICY, asked(1))[0] for _ in range(8)]
    assert len({answer.text for answer in one_by_one}) > 1
    assert SimulatedModel(rows).answers(POLICY, asked(1), count=8) == one_by_one


def test_at_temperature_zero_a_prompt_has_one_answer_by_the_policy_s_shares(rows: RowBook) -> None:
    model = SimulatedModel(rows)
    for number in range(20):
        assert len({model.answers(POLICY, asked(number), temperature=0, seed=seed)[0] for seed in range(5)}) == 1
    empty = sum(not model.answers(POLICY, asked(number), temperature=0)[0].text for number in range(400))
    assert 0.01 < empty / 400 < 0.1  # the policy's share is 0.05


def test_the_lower_the_temperature_the_less_an_answer_varies(rows: RowBook) -> None:
    model = SimulatedModel(rows)

    def different(temperature: float) -> int:
        return sum(
            len({answer.text for answer in model.answers(POLICY, asked(n), count=8, temperature=temperature, seed=1)})
            for n in range(40)
        )

    assert different(0.0) == 40 < different(0.3) < different(1.0)


def test_models_with_equal_parameters_answer_alike_and_others_do_not(rows: RowBook) -> None:
    model = SimulatedModel(rows)
    twin, other = Policy.from_json(POLICY.to_json()), POLICY.moved([0.0] * 6 + [0.5])
    answers = [model.answers(policy, asked(1), count=20, seed=1) for policy in (POLICY, twin, other)]
    assert answers[0] == answers[1] != answers[2]


def test_an_answer_is_cut_at_max_tokens(rows: RowBook) -> None:
    model = SimulatedModel(rows)
    for answer in model.answers(POLICY, asked(1), count=30, seed=1, max_tokens=3):
        assert answer.tokens <= 3
        assert len(answer.text) <= 12
        assert (answer.finish == "length") == (answer.tokens == 3)
    finishes = Counter(answer.finish for answer in model.answers(POLICY, asked(1), count=30, seed=1, max_tokens=4000))
    assert finishes == {"stop": 30}


def test_a_prompt_that_was_never_given_is_answered_honestly(rows: RowBook) -> None:
    (answer,) = SimulatedModel(rows).answers(POLICY, [{"role": "user", "content": "What is love?"}])
    assert answer.text == UNKNOWN_PROMPT


def test_a_prompt_is_found_whether_its_content_is_text_or_parts() -> None:
    text = [{"role": "developer", "content": " Be brief.\n"}, {"role": "user", "content": "one two"}]
    parts = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "one "}, {"type": "input_text", "text": "two"}]},
    ]
    assert prompt_key(text) == prompt_key(parts)
    assert prompt_key(text) != prompt_key(text[1:])
    assert prompt_key([{"role": "user", "content": "a"}]) != prompt_key([{"role": "system", "content": "a"}])


def test_rows_are_known_after_a_restart_and_lines_that_are_no_rows_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    known = json.dumps({"messages": asked(1), "reference_answer": "spam"}).encode()
    records = Records(path)
    learnt = RowBook(records).teach(
        b"\xef\xbb\xbf" + known + b"\r\n\n{broken\n[]\n" + b'{"messages": [], "reference_answer": 1}'
    )
    assert learnt == (1, 3)
    records.close()

    book = RowBook(Records(path))

    assert len(book) == 1
    assert book.find(prompt_key(asked(1))) is not None
    assert book.labels == ["spam"]


def test_a_row_that_comes_again_is_not_written_again_and_a_changed_one_is(tmp_path: Path) -> None:
    book = RowBook(Records(tmp_path / "state.sqlite"))
    log = tmp_path / "state.sqlite-wal"

    def row(reference: str) -> bytes:
        return json.dumps({"messages": asked(1), "reference_answer": reference}).encode()

    assert book.teach(row("spam")) == (1, 0)
    written = log.stat().st_size
    assert book.teach(row("spam")) == (1, 0)
    assert log.stat().st_size == written
    assert book.teach(row("old") + b"\n" + row("eggs")) == (1, 0)
    assert (book.find(prompt_key(asked(1))) or {})["reference_answer"] == "eggs"
    assert len(book) == 1


@pytest.mark.prove
def test_a_book_of_long_rows_holds_none_of_them_in_memory(tmp_path: Path) -> None:
    book = RowBook(Records(tmp_path / "state.sqlite"))
    tracemalloc.start()
    try:
        for number in range(20):
            messages = [{"role": "user", "content": f"{number} " + "\u2019" * 1_000_000}]
            book.teach(json.dumps({"messages": messages, "reference_answer": "1"}).encode())
        assert tracemalloc.get_traced_memory()[0] < 10_000_000
    finally:
        tracemalloc.stop()
    assert len(book) == 20
