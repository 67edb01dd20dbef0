from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from tunedrop.sampling import asking
from tunedrop.sampling.asking import TRIES, ask_all
from tunedrop.sampling.question import Asking, NotAllowed, NotAnswered, Question, Reply, Throttled

ASKING = Asking("model", 100, 0.0)


class Model:
    """Fails the first times that each question is asked, in the given way; counts how often each was asked."""

    def __init__(self, fails: int = 0, error: Exception | None = None) -> None:
        self.tries: Counter[int] = Counter()
        self.fails = fails
        self.error = error or Throttled("429")
        self.under_way = self.most_under_way = 0

    async def ask(self, asking: Asking, question: Question) -> Reply:
        self.tries[question.seed] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.tries[question.seed] <= self.fails:
            raise self.error
        return Reply(str(question.seed))

    async def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(asking, "START_SPACING_SECONDS", 0)


def questions(count: int) -> Iterator[tuple[int, Question]]:
    return ((number, Question([{"role": "user", "content": "?"}], seed=number)) for number in range(count))


def answers(model: Model, count: int, *, in_flight: int = 8, seconds_left: float = 900) -> dict[int, object]:
    async def collect() -> dict[int, object]:
        found: dict[int, object] = {}
        async for key, reply in ask_all(
            model, ASKING, questions(count), in_flight=in_flight, seconds_left=lambda: seconds_left
        ):
            assert key not in found
            found[key] = reply
        return found

    return asyncio.run(collect())


def test_every_question_is_answered_once_within_the_bound() -> None:
    model = Model()
    assert answers(model, 200) == {number: Reply(str(number)) for number in range(200)}
    assert set(model.tries.values()) == {1}
    assert model.most_under_way == 8


def test_the_first_questions_are_not_asked_in_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "START_SPACING_SECONDS", 0.05)
    asked: list[float] = []

    class Slow(Model):
        async def ask(self, asking: Asking, question: Question) -> Reply:
            asked.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.2)
            return Reply(str(question.seed))

    assert len(answers(Slow(), 8, in_flight=8)) == 8
    assert max(asked) - min(asked) > 0.05


def test_a_throttled_question_is_tried_until_it_is_answered() -> None:
    model = Model(fails=9)
    assert all(isinstance(reply, Reply) for reply in answers(model, 20).values())
    assert set(model.tries.values()) == {10}


def test_a_question_that_fails_otherwise_is_given_up_after_some_tries() -> None:
    model = Model(fails=99, error=NotAnswered("reset"))
    assert all(isinstance(reply, NotAnswered) for reply in answers(model, 3).values())
    assert set(model.tries.values()) == {TRIES}


def test_a_question_that_may_not_be_asked_is_tried_once() -> None:
    model = Model(fails=99, error=NotAllowed("model", "User: u is not authorized to perform: a"))
    assert all(isinstance(reply, NotAllowed) for reply in answers(model, 3).values())
    assert set(model.tries.values()) == {1}


def test_nothing_is_tried_again_when_there_is_no_time_for_it() -> None:
    model = Model(fails=99)
    assert all(isinstance(reply, Throttled) for reply in answers(model, 3, seconds_left=-1).values())
    assert set(model.tries.values()) == {1}


def test_an_error_of_the_program_is_not_taken_for_an_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        answers(Model(fails=1, error=ZeroDivisionError()), 30)


def test_leaving_early_ends_what_is_under_way() -> None:
    async def leave() -> int:
        model = Model()
        found = ask_all(model, ASKING, questions(10_000), in_flight=4)
        await anext(found)
        await found.aclose()
        asked = model.tries.total()
        await asyncio.sleep(0.01)
        assert model.tries.total() == asked
        assert len(asyncio.all_tasks()) == 1
        return asked

    assert asyncio.run(leave()) < 50
