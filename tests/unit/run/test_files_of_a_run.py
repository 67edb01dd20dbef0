"""What a run's own files answer when somebody deleted, emptied, cut or edited them: an outcome with the address."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.in_prove import a_third_in_each_run, in_prove
from tunedrop.evaluation.answers import Answer
from tunedrop.outcomes import RunFileBroken, RunFileMissing, ServiceBusy
from tunedrop.recipe import Evaluation
from tunedrop.run import folder as names
from tunedrop.run.folder import RunFolder
from tunedrop.run.plan import Shard, answers_prefix, load_plan, read_shard
from tunedrop.states.plan_evaluation import Candidate, plan
from tunedrop.states.rehearse_grader import rows_to_rehearse

ROWS = 12
ANSWERS = answers_prefix(0) + "00000.jsonl"
ANSWER = Answer(row=0, sample=0, candidate="base", prompt_sha256="0", answer="42")


def lines(count: int) -> bytes:
    return b"".join(b'{"messages": [{"role": "user", "content": "%d"}]}\n' % number for number in range(count))


def planned(run_folder: RunFolder) -> list[Shard]:
    return plan(run_folder, Evaluation(), [Candidate("base", "b"), Candidate("tuned", "t")], 0.1, written=ROWS)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """One bucket for all of this module: to make a client takes longer than all that a test asks of it."""
    with mock_aws():
        client = boto3.client(
            "s3", region_name="us-west-2", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        client.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        yield client


@pytest.fixture
def run_folder(s3: Any) -> RunFolder:
    folder = RunFolder(s3, "runs", "run-1")
    for name in (names.TRAIN, names.TEST, names.VALIDATION):
        folder.write(name, lines(ROWS))
    planned(folder)
    folder.write(ANSWERS, ANSWER.to_line())
    return folder


def read_rows_of_a_shard(folder: RunFolder) -> object:
    shard = Shard(0, "base", "b", 0, ROWS, start=0, end=len(lines(ROWS)))
    return list(folder.rows(names.TEST_ROWS, shard.start, shard.end))


def read_answers_of_a_shard(folder: RunFolder) -> object:
    return list(read_shard(folder, load_plan(folder)[0], samples=1))


def plan_validation(folder: RunFolder) -> object:
    return plan(folder, Evaluation(), [Candidate("b", "b")], 0.1, rows_file=names.VALIDATION, written=ROWS)


READERS: dict[str, tuple[str, Callable[[RunFolder], object]]] = {
    "the rehearsal": (names.TRAIN, lambda folder: rows_to_rehearse(folder, names.TRAIN, 5, ROWS)),
    "the upload": (names.TRAIN, lambda folder: folder.open_training_file(ROWS).close()),
    "the plan": (names.TEST, planned),
    "the plan of some rows": (names.TEST, lambda folder: plan(folder, Evaluation(rows=5), [], 0.1, written=ROWS)),
    "the plan of a choice": (names.VALIDATION, plan_validation),
    "a shard's plan": (names.PLAN, load_plan),
    "a shard's rows": (names.TEST_ROWS, read_rows_of_a_shard),
    "a shard's answers": (ANSWERS, read_answers_of_a_shard),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_whole_file_is_read(run_folder: RunFolder, reader: str) -> None:
    READERS[reader][1](run_folder)


@pytest.mark.parametrize("reader", [each for each in READERS if each != "a shard's answers"])
def test_a_file_that_is_gone_is_named_with_its_address(run_folder: RunFolder, reader: str) -> None:
    name, read = READERS[reader]
    run_folder._client.delete_object(Bucket="runs", Key=run_folder.key(name))
    with pytest.raises(
        RunFileMissing, match=f"s3://runs/runs/run-1/{name}, which the run wrote, is gone.*`resumes: run-1`"
    ):
        read(run_folder)


@pytest.mark.parametrize("content", [b"", *map(in_prove, (b"\n{", b"\xff\xfe", b"[]")), b'{"messages": 1}\n'])
@pytest.mark.parametrize("reader", a_third_in_each_run(READERS))
def test_a_file_that_was_emptied_or_edited_is_named_with_its_address(
    run_folder: RunFolder, reader: str, content: bytes
) -> None:
    name, read = READERS[reader]
    if name == ANSWERS and not content.strip():
        return  # answers that are gone are answers that are missing: EvaluationIncomplete tells of them
    run_folder.write(name, content)
    with pytest.raises(RunFileBroken, match=f"s3://runs/runs/run-1/{name} is not what the run wrote"):
        read(run_folder)


@pytest.mark.parametrize("count", [ROWS - 1, ROWS + 1])
@pytest.mark.parametrize("reader", [each for each, (name, _) in READERS.items() if name.count("/") == 0])
def test_a_file_with_another_number_of_rows_is_not_what_was_written(
    run_folder: RunFolder, reader: str, count: int
) -> None:
    name, read = READERS[reader]
    run_folder.write(name, lines(count))
    with pytest.raises(RunFileBroken, match=f"it has {count} rows, and {ROWS} were written"):
        read(run_folder)


@pytest.mark.parametrize(
    "change",
    [{"row": ROWS}, {"sample": 1}, {"candidate": "tuned"}, {"row": -1}, {"row": 10**30}, {"reward": "much"}, {"x": 1}],
)
def test_an_answer_that_is_none_of_its_shard_is_refused(run_folder: RunFolder, change: dict[str, Any]) -> None:
    run_folder.write(ANSWERS, json.dumps({**json.loads(ANSWER.to_line()), **change}).encode())
    with pytest.raises(RunFileBroken, match=f"s3://runs/runs/run-1/{ANSWERS} is not what the run wrote"):
        read_answers_of_a_shard(run_folder)


@pytest.mark.parametrize(
    "change",
    [{"number": 1}, {"start": "0"}, {"rows_file": None}, {"rows": -1}, {"rows": 0}, {"first_row": -1}, {"end": 0}],
)
def test_a_plan_with_a_shard_that_is_none_is_refused(run_folder: RunFolder, change: dict[str, Any]) -> None:
    document = run_folder.read_json(names.PLAN)
    document["shards"][0] |= change
    run_folder.write_json(names.PLAN, document)
    with pytest.raises(RunFileBroken, match=f"s3://runs/runs/run-1/{names.PLAN} is not what the run wrote"):
        load_plan(run_folder)


def test_a_row_read_by_a_range_that_ends_early_is_not_a_shorter_shard(run_folder: RunFolder) -> None:
    run_folder.write(names.TEST_ROWS, lines(ROWS - 1))
    with pytest.raises(RunFileBroken, match="it ends before byte"):
        read_rows_of_a_shard(run_folder)


def test_a_file_larger_than_asked_for_is_not_read(run_folder: RunFolder) -> None:
    run_folder.write_json(names.FINDINGS, {"findings": []})
    size = len(run_folder.read(names.FINDINGS))
    assert run_folder.read_json(names.FINDINGS, most_bytes=size) == {"findings": []}
    assert run_folder.read_json(names.FINDINGS, most_bytes=size - 1) is None


def test_few_parts_of_a_large_file_are_in_memory_at_once(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(s3, "upload_fileobj", lambda *_, Config, **__: taken.append(Config))
    RunFolder(s3, "runs", "run-2").write(names.TRAIN, io.BytesIO(lines(ROWS)))
    (config,) = taken
    # boto3 reads each part of a file without a name into memory, and its own bound is ten of them.
    in_memory = config.max_in_memory_upload_chunks * config.multipart_chunksize
    assert in_memory <= 32 * 2**20
    assert config.max_request_concurrency <= config.max_in_memory_upload_chunks


def test_only_a_line_feed_ends_a_line_and_a_long_line_is_read_once(s3: Any) -> None:
    folder = RunFolder(s3, "runs", "run-3")
    long = b'{"a":\r1,"b":"' + b"x" * 3_000_000 + b'"}'
    for written in ([b"one", b"", long, b"two"], [long], [b"", b""]):
        folder.write(names.TRAIN, io.BytesIO(b"\n".join(written)))
        assert list(folder.lines(names.TRAIN)) == [
            *(each + b"\n" for each in written[:-1]),
            *filter(None, written[-1:]),
        ]
    reads: list[int] = []

    class Body:
        def read(self, size: int) -> bytes:
            reads.append(size)
            return b"y" * size if len(reads) < 100 else b""

    folder.stream = lambda *_: Body()  # type: ignore[method-assign]
    (line,) = folder.lines(names.TRAIN)
    assert len(line) == sum(reads[:-1])
    assert len(reads) == 100, "each piece is read once"


def test_a_refusal_that_tells_nothing_of_the_file_is_raised_as_it_is(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "slow down"}}, "GetObject")

    with monkeypatch.context() as patched:
        patched.setattr(run_folder._client, "get_object", refuse)
        with pytest.raises(ClientError, match="SlowDown"):
            run_folder.read(names.PLAN)


def test_a_folder_of_which_s3_leaves_a_file_is_not_told_as_deleted(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {"Errors": [{"Code": "InternalError", "Key": run_folder.key(names.PLAN)}]}
    with monkeypatch.context() as patched:
        patched.setattr(run_folder._client, "delete_objects", lambda **_: left)
        with pytest.raises(ServiceBusy, match=f"InternalError for runs/run-1/{names.PLAN}"):
            run_folder.delete()
    assert run_folder.delete() > 0
    assert list(run_folder.names()) == []
