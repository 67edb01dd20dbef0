"""What a start by the API refuses by the stack's own figures, and what a repeated one finds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tunedrop.api.callers import team_of
from tunedrop.api.datasets import UPLOADS, _may_read
from tunedrop.api.documents import RunRequest
from tunedrop.api.idempotency import Claims
from tunedrop.api.problems import Problem
from tunedrop.api.starting import check_recipe, source_of, start_run
from tunedrop.limits.limits import Limits
from tunedrop.outcomes import RunNotFound, TooManyRuns
from tunedrop.teams import Team, Teams

RED = Team("red", datasets=("s3://shared/red/",))
EARLIER = "sums-0123456789abcdef"


def resources(team_of_earlier: str | None = "red") -> Any:
    def load(run_id: str) -> Any:
        if team_of_earlier is None:
            raise RunNotFound(run_id)
        return SimpleNamespace(team=team_of_earlier)

    return SimpleNamespace(
        settings=SimpleNamespace(dataset_bucket="drop", parameter_path="/tunedrop/dev", region="us-west-2"),
        teams=Teams(()),
        s3=None,
        runs=SimpleNamespace(load=load, load_many=lambda _: []),
        limits=Limits.parse('{"run": {"hours": 24}}'),
    )


def test_a_recipe_beyond_the_operator_s_limits_is_refused_at_once() -> None:
    with pytest.raises(Problem) as refused:
        check_recipe({"budget": {"hours": 25}}, resources(), "red")
    assert refused.value.kind == "limit-exceeded"
    check_recipe({"budget": {"hours": 24}}, resources(), "red")


def test_a_run_is_resumed_with_its_own_dataset_unless_another_one_is_given() -> None:
    stack = resources()
    request = RunRequest.model_validate({"name": "a", "resumes": EARLIER})
    source = source_of(request, RED, resources=stack, settings=stack)
    assert source == {"kind": "call", "resumes": EARLIER}


@pytest.mark.parametrize("team", ["blue", None])
def test_a_run_that_is_not_the_team_s_is_not_resumed(team: str | None) -> None:
    stack = resources(team)
    with pytest.raises(Problem, match=f"your team has no run '{EARLIER}'"):
        source_of(RunRequest.model_validate({"name": "a", "resumes": EARLIER}), RED, resources=stack, settings=stack)


def test_a_team_with_as_many_runs_as_it_may_have_is_told_how_many() -> None:
    def take(team: str, run_id: str, quota: int) -> None:
        raise TooManyRuns(team, active=quota, quota=quota)

    claims: Any = SimpleNamespace(run_of=lambda *_: None, claim=lambda team, key, body, run_id: run_id)
    slots: Any = SimpleNamespace(take=take)
    settings: Any = SimpleNamespace(team_run_quota=2, pipeline_arn="arn")
    request = RunRequest.model_validate({"name": "a", "resumes": EARLIER})
    with pytest.raises(Problem) as refused:
        start_run(
            request, {}, key="k", team=RED, resources=resources(), settings=settings, claims=claims, slots=slots, by=""
        )
    told = refused.value.document()
    assert (refused.value.kind, told["active"], told["quota"]) == ("too-many-runs", 2, 2)


@pytest.fixture
def claims(api_table: str) -> Claims:
    return Claims(boto3.client("dynamodb"), api_table)


def test_of_two_requests_with_one_key_at_once_the_second_gets_the_first_one_s_run(claims: Claims) -> None:
    assert claims.claim("red", "k", {"name": "a"}, "first") == "first"
    assert claims.claim("red", "k", {"name": "a"}, "second") == "first"
    with pytest.raises(Problem) as refused:
        claims.claim("red", "k", {"name": "b"}, "third")
    assert refused.value.kind == "idempotency-key-reused"
    assert claims.claim("blue", "k", {"name": "b"}, "fourth") == "fourth"


def test_of_fifty_requests_with_one_key_at_the_same_moment_all_get_one_run(claims: Claims) -> None:
    gate = threading.Barrier(50)

    def claimed(number: int) -> str:
        assert claims.run_of("red", "k", {}) is None
        gate.wait()  # so that the key is new to all of them
        return claims.claim("red", "k", {}, f"run-{number}")

    with ThreadPoolExecutor(50) as threads:
        (run_id,) = set(threads.map(claimed, range(50)))
    assert claims.run_of("red", "k", {}) == run_id


def test_a_request_without_a_caller_is_no_team_s() -> None:
    with pytest.raises(Problem) as refused:
        team_of({"requestContext": {"identity": {}}}, Teams(()))
    assert refused.value.kind == "not-authorized"


@pytest.mark.parametrize(
    ("key", "may"),
    [(f"{UPLOADS}red/1", True), (f"{UPLOADS}blue/1", False), (f"{UPLOADS}red-2/1", False), (f"{UPLOADS}red", False)],
)
def test_a_team_reads_the_files_that_it_uploaded_itself(key: str, may: bool) -> None:
    assert _may_read(RED, "drop", key, Teams((RED,)), "drop") is may
