"""What the rehearsal and the evaluation make of a grader function's answers."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tunedrop.graders.deployed import DeployedGrader
from tunedrop.graders.graded import Graded, Rollout
from tunedrop.outcomes import ServiceBusy


class Function:
    """A grader function that gives one answer, or cannot be called."""

    def __init__(self, answer: dict[str, Any] | ClientError) -> None:
        self.answer = answer

    def invoke(self, **_: Any) -> dict[str, Any]:
        if isinstance(self.answer, ClientError):
            raise self.answer
        told = [{"id": "a", "aggregate_reward_score": 0.5, **self.answer}]
        return {"Payload": io.BytesIO(json.dumps(told).encode())}


def graded(answer: dict[str, Any] | ClientError) -> Graded:
    function: Any = Function(answer)
    (one,) = DeployedGrader(function, "arn").grade([Rollout("a", {"messages": []}, "")])
    return one


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


def test_the_parts_of_a_grade_are_kept_and_others_are_passed_over() -> None:
    parts = [["/total", 0, 1.0, "12", "21"], ["/date", "high", 0.5, "", ""], ["short"], 7]
    assert [tuple(part) for part in graded({"parts": parts}).parts] == [("/total", 0.0, 1.0, "12", "21")]


def test_a_throttled_grader_is_asked_again_and_another_refusal_ends_the_call() -> None:
    with pytest.raises(ServiceBusy, match="is throttled"):
        graded(refusal("TooManyRequestsException"))
    with pytest.raises(ClientError, match="AccessDenied"):
        graded(refusal("AccessDeniedException"))
