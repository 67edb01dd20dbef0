"""What the client sends again, what it does not, and what its caller gets to know."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from tests.contract.client.answering import NOTHING, Asked, in_turn, problem, serving
from tunedrop_client import FileRefused, Problem, Unreachable

RUN = {"run_id": "sums-1", "status": "RUNNING"}
STARTED = (202, RUN)


@pytest.mark.parametrize(
    "first",
    [
        problem("throttled", 429),
        problem("unavailable", 503),
        problem("internal", 500),
        (502, b"<html>Bad gateway</html>"),
        (504, {"message": "Endpoint request timed out"}),
        NOTHING,
    ],
    ids=["throttled", "unavailable", "internal", "no problem document", "gateway timeout", "no answer"],
)
def test_a_start_that_may_go_well_later_is_sent_again_with_its_key(first: Any) -> None:
    with serving(in_turn(first, STARTED)) as server:
        assert server.client().start("sums", "s3://datasets/train.jsonl")["run_id"] == "sums-1"
        keys = {each.headers["idempotency-key"] for each in server.asked}
        assert len(server.asked) == 2
        assert len(keys) == 1


def test_two_starts_have_two_keys_and_a_given_key_is_used() -> None:
    with serving(in_turn(STARTED)) as server:
        client = server.client()
        for key in (None, None, "mine"):
            client.start("sums", "s3://datasets/train.jsonl", key=key)
        keys = [each.headers["idempotency-key"] for each in server.asked]
        assert len(set(keys)) == 3
        assert keys[2] == "mine"


def test_waits_between_tries_grow_are_random_and_come_to_an_end() -> None:
    with serving(in_turn(problem("unavailable", 503))) as server:
        client = server.client()
        for _ in range(10):
            with pytest.raises(Problem, match="unavailable"):
                client.run("sums-1")
    first, fifth = server.slept[::5], server.slept[4::5]
    assert len(server.slept) == 50
    assert max(first) <= 0.5 < max(fifth) <= 8
    assert len(set(first)) == 10


@pytest.mark.parametrize(
    ("kind", "status"), [("too-many-runs", 429), ("request-invalid", 422), ("not-found", 404), ("no-team", 403)]
)
def test_what_cannot_go_well_later_is_told_at_once(kind: str, status: int) -> None:
    with serving(in_turn(problem(kind, status))) as server:
        with pytest.raises(Problem) as refused:
            server.client().start("sums", "s3://datasets/train.jsonl")
        assert (refused.value.kind, refused.value.status, len(server.asked)) == (kind, status, 1)


def test_a_refusal_is_the_problem_document_with_all_its_members() -> None:
    errors = [{"field": "name", "expected": "text"}]
    with serving(in_turn(problem("request-invalid", 422, errors=errors, more=1))) as server:
        with pytest.raises(Problem) as refused:
            server.client().run("sums-1")
        told = refused.value
    assert told.type == "urn:tunedrop:problem:request-invalid"
    assert (told.title, told.detail, told.errors) == ("request-invalid", "request-invalid.", errors)
    assert told.document["more"] == 1
    assert pickle.loads(pickle.dumps(told)).document == told.document  # noqa: S301 - our own


def test_an_approval_whose_answer_is_lost_is_not_sent_twice() -> None:
    with serving(in_turn(NOTHING, STARTED)) as server:
        with pytest.raises(Unreachable) as lost:
            server.client().approve("sums-1")
        assert len(server.asked) == 1
        assert lost.value.sent


@pytest.mark.parametrize("kind", ["unavailable", "internal"])
@pytest.mark.parametrize("word", ["approve", "reject", "rollback"])
def test_a_decision_that_may_have_been_taken_is_not_sent_again(word: str, kind: str) -> None:
    with serving(in_turn(problem(kind, 503), STARTED)) as server:
        with pytest.raises(Problem) as told:
            getattr(server.client(), word)("sums-1")
        assert (told.value.kind, len(server.asked)) == (kind, 1)


def test_an_approval_that_the_api_did_not_look_at_is_sent_again() -> None:
    with serving(in_turn(problem("throttled", 429), STARTED)) as server:
        assert dict(server.client().approve("sums-1")) == RUN


def test_a_server_that_is_not_there_is_unreachable_and_nothing_was_sent() -> None:
    with serving(in_turn(STARTED)) as server:
        client = server.client()
    with pytest.raises(Unreachable) as refused:
        client.approve("sums-1")
    assert not refused.value.sent
    assert len(server.slept) == 5


def test_each_try_is_signed_with_the_credentials_of_its_moment() -> None:
    credentials = Credentials("OLD", "secret", "token-old")

    def renew(_: Asked) -> Any:
        if credentials.access_key == "NEW":
            return STARTED
        credentials.access_key, credentials.token = "NEW", "token-new"
        return problem("unavailable", 503)

    with serving(renew) as server:
        server.client(credentials).run("sums-1")
        assert ["Credential=OLD/" in each.headers["authorization"] for each in server.asked] == [True, False]
        assert [each.headers["x-amz-security-token"] for each in server.asked] == ["token-old", "token-new"]


def uploads(*answers: Any) -> Any:
    """An API with one upload, whose link answers so."""
    put = in_turn(*answers)

    def answer(asked: Asked) -> Any:
        if asked.method == "PUT":
            return put(asked)
        url = f"http://{asked.headers['host']}/link"
        return 201, {"upload_id": "u", "url": url, "headers": {"If-None-Match": "*"}}

    return answer


def test_an_upload_whose_answer_was_lost_counts_when_s3_has_the_file(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("{}\n")
    with serving(uploads((503, b"slow down"), NOTHING, (412, b"there already"))) as server:
        assert server.client().upload(tmp_path / "train.jsonl") == {"upload_id": "u"}
        puts = [each for each in server.asked if each.method == "PUT"]
        assert [each.body for each in puts] == [b"{}\n"] * 3
        assert all(each.headers["if-none-match"] == "*" for each in puts)


@pytest.mark.parametrize("status", [403, 412])
def test_an_upload_that_s3_refuses_is_told_with_its_words(tmp_path: Path, status: int) -> None:
    (tmp_path / "train.jsonl").write_text("{}\n")
    with (
        serving(uploads((status, b"<Code>Refused</Code>"))) as server,
        pytest.raises(FileRefused, match="train.jsonl: HTTP .*<Code>Refused"),
    ):
        server.client().upload(tmp_path / "train.jsonl")


def test_runs_of_all_pages_come_and_no_more_are_asked_for_than_wanted() -> None:
    def answer(asked: Asked) -> Any:
        first = int(asked.query.get("page", ["0"])[0])
        limit = int(asked.query["limit"][0])
        end = min(first + limit, 120)
        runs = [{"run_id": str(number)} for number in range(first, end)]
        return 200, {"runs": runs, "next": str(end) if end < 120 else None}

    with serving(answer) as server:
        client = server.client()
        assert [each["run_id"] for each in client.runs()] == [str(number) for number in range(120)]
        assert len(server.asked) == 3
        assert len(list(client.runs(most=70))) == 70
        assert [each.query["limit"] for each in server.asked[3:]] == [["50"], ["20"]]
        assert list(client.runs(most=0)) == []


def test_a_url_without_its_stage_is_told_what_it_lacks() -> None:
    with (
        serving(in_turn((403, {"message": "Forbidden"}))) as server,
        pytest.raises(Problem, match="end with the stage") as refused,
    ):
        server.client().models()
    assert refused.value.status == 403
    assert len(server.asked) == 1


def test_the_metrics_of_all_pages_are_one_answer() -> None:
    pages = [(200, {"run_id": "sums-1", "steps": [{"step": n}], "next_after": n if n < 3 else None}) for n in (1, 2, 3)]
    with serving(in_turn(*pages)) as server:
        metrics = server.client().metrics("sums-1")
        assert [each.query["after"] for each in server.asked] == [["0"], ["1"], ["2"]]
    assert metrics["steps"] == [{"step": 1}, {"step": 2}, {"step": 3}]
    assert metrics["next_after"] is None


def test_an_answer_that_is_no_document_is_told_as_it_came() -> None:
    with (
        serving(in_turn((200, b"<html>Sign in</html>"))) as server,
        pytest.raises(Unreachable, match="no JSON: <html>"),
    ):
        server.client().run("sums-1")
    with serving(in_turn((400, ["no", "such"]))) as server, pytest.raises(Problem, match="no"):
        server.client().run("sums-1")
