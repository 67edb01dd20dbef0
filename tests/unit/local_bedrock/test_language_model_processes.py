"""What is told of a language model's processes: answers as they come, steps once each, ends in words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.bedrock.answers import Answer, Asked
from local.bedrock.engine import TrainingFailed
from local.bedrock.errors import ApiError
from local.bedrock.grading import GraderFailed, Reply
from local.bedrock.grpo import Measures
from local.bedrock.language_model.serving import NotServed, Serving
from local.bedrock.language_model.training import train
from local.bedrock.language_model.worker import Environment
from local.bedrock.mantle.writing import Writing
from local.bedrock.model_ref import Adapter
from local.bedrock.training import Plan, Progress

FAKE = str(Path(__file__).with_name("fake_language_model.py"))
ENVIRONMENT = Environment(sys.executable, "fake", Path("kept"), (FAKE,))
BASE = Adapter(None)


def asking(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def with_serving(tmp_path: Path, use: Callable[[Serving], Coroutine[Any, Any, Any]], weights: str = "fake") -> Any:
    async def run() -> Any:
        serving = Serving(replace(ENVIRONMENT, weights=weights), tmp_path / "log")
        try:
            await serving.start()
            return await use(serving)
        finally:
            await serving.close()

    return asyncio.run(run())


def test_each_request_gets_its_own_replies_in_their_places(tmp_path: Path) -> None:
    async def use(serving: Serving) -> Any:
        asked = Asked(count=2, max_tokens=5)
        return await asyncio.gather(
            serving.answers(BASE, asking("one two"), asked), serving.answers(Adapter("a"), asking("three"), asked)
        )

    first, second = with_serving(tmp_path, use)
    assert first.replies == [Answer("one two None", 2, "length")] * 2
    assert first.prompt_tokens == 7
    assert [reply.text for reply in second.replies] == ["three a"] * 2


def test_pieces_come_as_they_are_written_and_then_the_whole(tmp_path: Path) -> None:
    async def use(serving: Serving) -> Any:
        asked = Asked(max_tokens=5)
        writing = Writing(lambda on_piece: serving.answers(BASE, asking("a b"), asked, on_piece))
        await writing.begin()
        return [piece async for piece in writing.pieces()], await writing.answers()

    pieces, answers = with_serving(tmp_path, use)
    assert pieces == [(0, "a "), (0, "b "), (0, "None")]
    assert answers.replies[0].text == "a b None"


def test_what_is_refused_is_an_error_of_the_request(tmp_path: Path) -> None:
    async def use(serving: Serving) -> None:
        writing = Writing(lambda on_piece: serving.answers(BASE, asking("refuse"), Asked(), on_piece))
        await writing.begin()

    with pytest.raises(ApiError, match="too long") as refused:
        with_serving(tmp_path, use)
    assert refused.value.status == 400


def test_a_process_that_dies_fails_what_waits_and_serves_again(tmp_path: Path) -> None:
    async def use(serving: Serving) -> Any:
        waiting = asyncio.create_task(serving.answers(BASE, asking("wait"), Asked()))
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as ended:
            await serving.answers(BASE, asking("die"), Asked())
        with pytest.raises(ApiError):
            await waiting
        return ended.value.status, await serving.answers(BASE, asking("again"), Asked(max_tokens=3))

    status, again = with_serving(tmp_path, use)
    assert status == 503
    assert again.replies[0].text == "again None"


@pytest.mark.prove
@pytest.mark.parametrize(("weights", "why"), [("missing", "missing is no file"), ("broken", "log")])
def test_weights_that_cannot_be_served_are_told_at_the_start(tmp_path: Path, weights: str, why: str) -> None:
    async def use(_: Serving) -> None:
        raise AssertionError

    with pytest.raises(NotServed, match=why):
        with_serving(tmp_path, use, weights)


class Training:
    """A training with the fake process: four steps, 2 prompts each, groups of 2, a checkpoint every second step."""

    def __init__(self, folder: Path, rate: float = 1.0) -> None:
        rows = [{"messages": asking(f"row {number}"), "reference_answer": str(number)} for number in range(8)]
        self.plan = Plan("job", rows, 2, 1, 2, 16, rate=rate, holds_out=False, checkpoint_every=2)
        self.folder = folder
        self.graded: list[Reply] = []
        self.kept: list[tuple[Progress, Measures]] = []

    async def grade(self, replies: Sequence[Reply]) -> list[float]:
        self.graded += replies
        return [float(reply.text) for reply in replies]

    def run(self, start: Progress = Progress(0, BASE), grade: Any = None) -> Progress:  # noqa: B008 - it never changes
        return asyncio.run(
            train(
                ENVIRONMENT,
                self.folder,
                self.plan,
                start,
                grade=grade or self.grade,
                keep=lambda progress, measures: self.kept.append((progress, measures)),
                step_seconds=lambda: 0.0,
            )
        )


def test_each_step_is_graded_with_its_rows_and_kept_as_it_was_measured(tmp_path: Path) -> None:
    training = Training(tmp_path)
    end = training.run()
    wanted = [row["reference_answer"] for step in range(1, 5) for row in training.plan.batch(step) for _ in range(2)]
    assert [reply.row["reference_answer"] for reply in training.graded] == wanted
    assert len({reply.rollout_id for reply in training.graded}) == 16
    assert [measures.rewards_mean for _, measures in training.kept] == [1, 2, 3, 4]
    models = [progress.model for progress, _ in training.kept]
    assert models == [BASE, Adapter(f"{tmp_path}/step-2"), Adapter(f"{tmp_path}/step-2"), Adapter(f"{tmp_path}/step-4")]
    assert end == Progress(4, Adapter(f"{tmp_path}/step-4"), 16)


@pytest.mark.prove
def test_a_killed_process_is_started_again_and_no_step_is_told_twice(tmp_path: Path) -> None:
    training = Training(tmp_path, rate=4)
    assert training.run().step == 4
    assert (tmp_path / "starts").read_text() == "xx"
    assert [progress.step for progress, _ in training.kept] == [1, 2, 3, 4]
    assert training.kept[-1][0].tokens == 16


@pytest.mark.prove
def test_a_process_that_keeps_ending_fails_the_job(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="with code 9 3 times in a row after step 0"):
        Training(tmp_path, rate=3).run()


def test_why_a_process_stopped_is_told_and_it_is_not_started_again(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="after step 2: OSError: no space left on device"):
        Training(tmp_path, rate=2).run()
    assert (tmp_path / "starts").read_text() == "x"


def test_a_grader_that_fails_ends_the_process_and_the_training(tmp_path: Path) -> None:
    async def fails(_: Sequence[Reply]) -> list[float]:
        raise GraderFailed("the grader failed 4 times in a row")

    with pytest.raises(GraderFailed):
        Training(tmp_path).run(grade=fails)


def test_a_training_that_had_ended_is_not_done_again(tmp_path: Path) -> None:
    end = Progress(4, Adapter("x"), 16)
    assert Training(tmp_path).run(end) == end
    assert not (tmp_path / "starts").exists()
