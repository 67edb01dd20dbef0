"""EventBridge's pattern language.

docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

from typing import Any

import pytest

from embedded_aws.events.pattern import PatternInvalid, check, matches

EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "resources": ["arn:aws:s3:::one", "arn:aws:s3:::two"],
    "detail": {
        "bucket": {"name": "one"},
        "object": {"key": "inbox/gsm8k/train.jsonl", "size": 120, "tag": None},
        "ip": "10.1.2.3",
        "flag": True,
        "empty": "",
        "none": [],
        "people": [{"name": "Ann", "age": 30}, {"name": "Bob", "age": 40}],
    },
}


def _key(filter_: Any) -> dict[str, Any]:
    return {"detail": {"object": {"key": [filter_]}}}


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"]},
        {"source": ["aws.ec2", "aws.s3"], "detail-type": ["Object Created"]},
        {"resources": ["arn:aws:s3:::two"]},
        {"detail": {"bucket": {"name": ["one"]}}},
        _key({"prefix": "inbox/"}),
        _key({"wildcard": "inbox/*/train.jsonl"}),
        _key({"wildcard": "*"}),
        {"detail": {"object": {"size": [120]}}},
        {"detail": {"object": {"size": [120.0]}}},
        {"detail": {"object": {"tag": [None]}}},
        {"detail": {"flag": [True]}},
        {"detail": {"empty": [""]}},
        {"detail": {"people": {"name": ["Bob"]}}},
        {"source": [{"prefix": "aws."}, "own"]},
    ],
)
def test_the_event_meets_the_pattern(pattern: dict[str, Any]) -> None:
    check(pattern)
    assert matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"]},
        {"source": ["aws.s3"], "detail-type": ["Object Deleted"]},
        {"resources": ["arn:aws:s3:::three"]},
        {"colour": ["blue"]},
        _key({"prefix": "outbox/"}),
        _key({"wildcard": "inbox/*.csv"}),
        _key({"wildcard": "train.jsonl"}),
        _key({"wildcard": r"inbox/\*/train.jsonl"}),
        {"detail": {"object": {"size": ["120"]}}},
        {"detail": {"object": {"colour": [None]}}},
        {"detail": {"flag": [1]}},
        {"detail": {"flag": ["true"]}},
        {"detail": {"people": {"name": ["Bob"], "age": [30]}}},
    ],
)
def test_the_event_does_not_meet_the_pattern(pattern: dict[str, Any]) -> None:
    check(pattern)
    assert not matches(pattern, EVENT)


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ({"source": "aws.s3"}, "source must be a list"),
        ({"source": []}, "source must be a list"),
        ({}, "must be an object"),
        ({"detail": {"key": [{"regex": "a.*"}]}}, "the operator 'regex' at detail.key is not imitated"),
        ({"detail": {"key": [{"prefix": 3}]}}, "prefix at detail.key cannot take 3"),
        ({"detail": {"key": [{"prefix": "a", "suffix": "b"}]}}, "one operator"),
        ({"$or": [{"source": ["a"]}, {"source": ["b"]}]}, "$or is not imitated"),
        ({"detail": {"key": [{"exists": True}]}}, "the operator 'exists' at detail.key"),
    ],
)
def test_a_pattern_that_cannot_be_imitated_is_refused_with_its_place(pattern: dict[str, Any], place: str) -> None:
    with pytest.raises(PatternInvalid) as refused:
        check(pattern)
    assert place in str(refused.value)
