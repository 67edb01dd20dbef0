from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tunedrop.evaluation.answers import MOST_OF_A_THOUGHT, Answer, read_answers
from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.graded import Graded, Rollout
from tunedrop.outcomes import RunFileBroken, ServiceBusy, Status
from tunedrop.recipe import Evaluation
from tunedrop.recipe_resolution import resolve
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import answers_prefix, load_plan
from tunedrop.run.record import RunRecord
from tunedrop.sampling import asking
from tunedrop.sampling.question import Asking, NotAnswered, Question, Reply
from tunedrop.states import evaluate_shard
from tunedrop.states.evaluate_shard import PART_ANSWERS, ShardEvaluation
from tunedrop.states.plan_evaluation import Candidate, plan, rows_a_shard

ROWS = 150


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)


@pytest.fixture
def run_folder(aws: None) -> RunFolder:
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    folder = RunFolder(client, "runs", "run-1")
    rows = (
        {"messages": [{"role": "user", "content": f"question {n} ä"}], "reference_answer": str(n)} for n in range(ROWS)
    )
    folder.write(names.TEST, b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))
    return folder


class Model:
    """Answers each question with its own text; counts how often it was asked what."""

    def __init__(self, fails: int = 0, refuses: str = "", waits_for: int = 0, thinks: str = "") -> None:
        """`waits_for`: no answer comes before so many questions have been under way at once."""
        self.asked: Counter[tuple[str, int]] = Counter()
        self.under_way = self.most_under_way = 0
        self.fails = fails
        self.refuses = refuses
        self.waits_for = waits_for
        self.thinks = thinks

    async def ask(self, asking: Asking, question: Question) -> Reply:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        while self.most_under_way < self.waits_for:
            await asyncio.sleep(0.001)
        self.under_way -= 1
        text = question.messages[0]["content"]
        if self.fails and len(self.asked) >= self.fails:
            raise NotAnswered("429")
        if self.refuses and text.startswith(self.refuses):
            return Reply("", refused="HTTP 400")
        self.asked[text, question.seed] += 1
        return Reply(text, "stop", 5, 7, 0.1, thought=self.thinks)

    async def close(self) -> None:
        pass


class Lambda:
    """The grader function as boto3 shows it: right where the answer holds the reference; some samples fail."""

    def invoke(self, *, FunctionName: str, Payload: bytes, ClientContext: str) -> dict[str, Any]:
        answers = []
        for sample in json.loads(Payload):
            right = f" {sample['metadata']['reference_answer']} " in sample["messages"][-1]["content"]
            answer = {
                "id": sample["id"],
                "aggregate_reward_score": float(right),
                "metrics_list": [{"name": "accuracy", "value": float(right), "type": "Metric"}],
                "explanation": "because",
            }
            if sample["metadata"]["reference_answer"] == "13":
                answer |= {"aggregate_reward_score": 0.0, "metrics_list": [_metric("grader_error", 1.0)]}
            answers.append(answer)
        return {"Payload": io.BytesIO(json.dumps(answers).encode())}


def _metric(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "value": value, "type": "Metric"}


def evaluate(run_folder: RunFolder, number: int, model: Model, seconds_left: float = 900, **evaluation: int) -> int:
    return ShardEvaluation(
        load_plan(run_folder)[number],
        run_folder,
        evaluation=Evaluation(**evaluation),
        sampler=model,
        grader=DeployedGrader(Lambda(), "arn"),  # type: ignore[arg-type] # what boto3 shows of Lambda
        seconds_left=lambda: seconds_left,
    ).run()


def answers(run_folder: RunFolder, number: int) -> list[Answer]:
    return [
        answer
        for name in run_folder.names(answers_prefix(number))
        for answer in read_answers(run_folder.stream(name).iter_lines())
    ]


def test_every_row_is_in_one_shard_of_each_candidate_and_the_bytes_are_right(run_folder: RunFolder) -> None:
    shards = plan(run_folder, Evaluation(), [Candidate("base", "b"), Candidate("tuned", "t")], 0.1)
    for candidate in ("base", "tuned"):
        own = [shard for shard in shards if shard.candidate == candidate]
        rows = [row for shard in own for row in range(shard.first_row, shard.first_row + shard.rows)]
        assert rows == list(range(ROWS))
        lines = b"".join(run_folder.stream(names.TEST_ROWS, shard.start, shard.end).read() for shard in own)
        assert lines == run_folder.read(names.TEST)
    manifest = run_folder.read_json(names.MANIFEST)
    assert manifest == [{"run_id": "run-1", "shard": shard.number} for shard in shards]


def test_fewer_rows_are_the_same_rows_every_time(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(rows=40), [Candidate("base", "b")], None)
    first = run_folder.read(names.TEST_ROWS)
    plan(run_folder, Evaluation(rows=40), [Candidate("base", "b")], None)
    assert run_folder.read(names.TEST_ROWS) == first
    assert first.count(b"\n") == 40


def test_a_slow_model_gets_smaller_shards_and_each_ends_within_its_lambda() -> None:
    evaluation = Evaluation(in_flight=16, concurrency=1)
    for latency in (1.0, 10.0, 60.0):
        rows = rows_a_shard(20_000, evaluation, latency)
        assert rows * latency / evaluation.in_flight <= 900 / 3
    assert rows_a_shard(20_000, evaluation, 60.0) < rows_a_shard(20_000, evaluation, 10.0)


def test_every_answer_is_written_once_with_its_grade(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(samples=2, concurrency=1), [Candidate("base", "b")], 0.1)
    model = Model(waits_for=7)
    assert evaluate(run_folder, 0, model, samples=2, in_flight=7) == 2 * ROWS
    found = answers(run_folder, 0)
    assert {(answer.row, answer.sample) for answer in found} == {(row, n) for row in range(ROWS) for n in (0, 1)}
    assert len(found) == 2 * ROWS
    assert model.most_under_way == 7
    graded = next(answer for answer in found if answer.row == 7)
    assert (graded.reward, graded.correct, graded.explanation) == (1.0, True, "because")
    assert graded.latency_seconds == pytest.approx(0.1)


def test_what_the_model_thought_beside_its_answer_is_kept_up_to_its_end(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b")], 0.1)
    evaluate(run_folder, 0, Model(thinks="1, 2, 3, " * 1_000 + "so 4"))
    kept = {answer.thought for answer in answers(run_folder, 0)}
    assert {(len(thought), thought[-4:]) for thought in kept} == {(MOST_OF_A_THOUGHT, "so 4")}


def test_a_grader_that_failed_leaves_no_reward_but_a_reason(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b")], 0.1)
    evaluate(run_folder, 0, Model())
    failed = next(answer for answer in answers(run_folder, 0) if answer.row == 13)
    assert failed.reward is None
    assert failed.ungraded == "the grader failed"


def test_a_refused_question_is_an_answer_that_says_so_and_is_not_asked_again(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b")], 0.1)
    evaluate(run_folder, 0, Model(refuses="question 14 "))
    refused = next(answer for answer in answers(run_folder, 0) if answer.row == 14)
    assert refused.ungraded == "the model refused: HTTP 400"
    assert evaluate(run_folder, 0, Model()) == 0


def test_a_shard_that_was_cut_off_asks_only_what_is_missing(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b")], 0.1)
    first = Model(fails=PART_ANSWERS + 10)
    with pytest.raises(ServiceBusy, match="answers are missing; last: 429"):
        evaluate(run_folder, 0, first)
    had = len(answers(run_folder, 0))
    second = Model()
    assert evaluate(run_folder, 0, second) == ROWS - had
    assert sorted(answer.row for answer in answers(run_folder, 0)) == list(range(ROWS))
    assert not set(first.asked) & set(second.asked)


def test_a_shard_whose_time_is_up_stops_asking_and_says_so(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b")], 0.1)
    with pytest.raises(ServiceBusy, match="this process ran out of time"):
        evaluate(run_folder, 0, Model(), seconds_left=1)


def test_both_candidates_are_asked_with_the_same_seeds(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b"), Candidate("tuned", "t")], 0.1)
    models = [Model(), Model()]
    for number, model in enumerate(models):
        evaluate(run_folder, number, model)
    assert models[0].asked == models[1].asked
    assert len({seed for _, seed in models[0].asked}) == ROWS


class Throttled(DeployedGrader):
    """Lambda has no room for the first batches."""

    def __init__(self, times: int) -> None:
        super().__init__(Lambda(), "arn")  # type: ignore[arg-type] # what boto3 shows of Lambda
        self.times = times

    def grade(self, rollouts: Sequence[Rollout], batch_samples: int = 0) -> list[Graded]:
        self.times -= 1
        if self.times >= 0:
            raise ServiceBusy("the grader is throttled")
        return super().grade(rollouts)


@pytest.mark.parametrize(
    ("times", "seconds_left", "answered"),
    [(4, 900.0, True), (5, 900.0, False), (1, 1.0, False)],
    ids=["as often as it waits", "once more", "when its time is up"],
)
def test_a_throttled_grader_is_asked_again_while_there_is_time(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, times: int, seconds_left: float, answered: bool
) -> None:
    monkeypatch.setattr(evaluate_shard, "_GRADER_WAITS", (0.0,) * 4)
    plan(run_folder, Evaluation(rows=2), [Candidate("base", "b")], 0.1)
    model, grader = Model(), Throttled(times)
    evaluation = ShardEvaluation(
        load_plan(run_folder)[0],
        run_folder,
        evaluation=Evaluation(),
        sampler=model,
        grader=grader,
        seconds_left=lambda: 900 if len(model.asked) < 2 else seconds_left,
    )
    if answered:
        assert evaluation.run() == 2
    else:
        with pytest.raises(ServiceBusy, match="throttled"):
            evaluation.run()
    assert len(answers(run_folder, 0)) == (2 if answered else 0)


def test_a_shard_keeps_up_with_the_quota_and_a_look_that_fails_changes_nothing(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_shard, "LOOK_SECONDS", 0.0)
    plan(run_folder, Evaluation(rows=2), [Candidate("base", "b")], 0.1)
    looks = iter([1e9, ServiceBusy("others changed the item"), 5e8, None])
    seen: list[float | None] = []

    def look() -> float | None:
        figure = next(looks)
        if isinstance(figure, ServiceBusy):
            raise figure
        seen.append(figure)
        return figure

    class Waits(Model):
        async def ask(self, asking: Asking, question: Question) -> Reply:
            while None not in seen:
                await asyncio.sleep(0.001)
            return await super().ask(asking, question)

    evaluation = ShardEvaluation(
        load_plan(run_folder)[0],
        run_folder,
        evaluation=Evaluation(),
        sampler=Waits(),
        grader=DeployedGrader(Lambda(), "arn"),  # type: ignore[arg-type] # what boto3 shows of Lambda
        seconds_left=lambda: 900,
        tokens_a_minute=look,
    )
    assert evaluation.run() == 2
    assert seen == [1e9, 5e8, None]


def record(**evaluation: Any) -> RunRecord:
    moment = "2026-01-01T00:00:00.000Z"
    document = resolve({"evaluation": evaluation}, "us-west-2").model_dump(mode="json")
    return RunRecord("run-1", "run", "arn", Status.RUNNING, moment, moment, recipe_document=document)


@pytest.mark.parametrize(
    ("stack", "own", "each"),
    [(0, None, None), (0, 800, 200.0), (3000, None, 250.0), (3000, 800, 200.0), (3000, 8000, 250.0)],
)
def test_a_shard_has_its_part_of_the_lesser_of_the_run_s_share_and_the_recipe_s(
    stack: float, own: int | None, each: float | None
) -> None:
    settings = SimpleNamespace(tokens_per_minute=stack)
    resources: Any = SimpleNamespace(settings=settings, shares=lambda _: SimpleNamespace(of=lambda _: stack / 3))
    assert evaluate_shard._quota(resources, record(tokens_per_minute=own), 4)() == each


def test_a_shard_that_the_plan_does_not_have_is_named(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(), [Candidate("base", "b")], 0.1)
    runs = SimpleNamespace(load=lambda _: record())
    resources: Any = SimpleNamespace(runs=runs, folder=lambda _: run_folder)
    with pytest.raises(RunFileBroken, match=r"plan\.json is not what the run wrote: it has no shard 99"):
        evaluate_shard.run({"run_id": "run-1", "shard": 99}, resources)


def test_a_file_among_the_answers_that_is_no_part_of_them_is_named(run_folder: RunFolder) -> None:
    plan(run_folder, Evaluation(concurrency=1), [Candidate("base", "b")], 0.1)
    run_folder.write(f"{answers_prefix(0)}00000 (copy).jsonl", b"")
    with pytest.raises(RunFileBroken, match=r"00000 \(copy\)\.jsonl.*it has the name of no part"):
        evaluate(run_folder, 0, Model())
