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
        _key({"prefix": {"equals-ignore-case": "INBOX/"}}),
        _key({"suffix": ".jsonl"}),
        _key({"suffix": {"equals-ignore-case": ".JSONL"}}),
        _key({"wildcard": "inbox/*/train.jsonl"}),
        _key({"wildcard": "*"}),
        _key({"equals-ignore-case": "INBOX/GSM8K/TRAIN.JSONL"}),
        _key({"anything-but": ["other", "another"]}),
        _key({"anything-but": "other"}),
        _key({"anything-but": {"prefix": "outbox/"}}),
        _key({"anything-but": {"suffix": [".csv", ".txt"]}}),
        _key({"anything-but": {"wildcard": "outbox/*"}}),
        {"detail": {"object": {"size": [120]}}},
        {"detail": {"object": {"size": [120.0]}}},
        {"detail": {"object": {"size": [{"numeric": [">", 100, "<=", 120]}]}}},
        {"detail": {"object": {"size": [{"numeric": ["=", 120]}]}}},
        {"detail": {"object": {"tag": [None]}}},
        {"detail": {"object": {"size": [{"exists": True}]}}},
        {"detail": {"object": {"colour": [{"exists": False}]}}},
        {"detail": {"none": [{"exists": False}]}},
        {"detail": {"ip": [{"cidr": "10.0.0.0/8"}]}},
        {"detail": {"flag": [True]}},
        {"detail": {"empty": [""]}},
        {"detail": {"people": {"name": ["Bob"]}}},
        {"detail": {"nothing": {"inside": [{"exists": False}]}}},
        {"$or": [{"source": ["aws.ec2"]}, {"detail": {"bucket": {"name": ["one"]}}}]},
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
        _key({"suffix": ".json"}),
        _key({"wildcard": "inbox/*.csv"}),
        _key({"wildcard": "train.jsonl"}),
        _key({"wildcard": r"inbox/\*/train.jsonl"}),
        _key({"anything-but": "inbox/gsm8k/train.jsonl"}),
        _key({"anything-but": {"prefix": "inbox/"}}),
        _key({"exists": False}),
        {"detail": {"object": {"size": ["120"]}}},
        {"detail": {"object": {"size": [{"numeric": [">", 120]}]}}},
        {"detail": {"object": {"key": [{"numeric": [">", 0]}]}}},
        {"detail": {"object": {"colour": [{"exists": True}]}}},
        {"detail": {"object": {"colour": [{"anything-but": "blue"}]}}},
        {"detail": {"object": {"colour": [None]}}},
        {"detail": {"ip": [{"cidr": "192.168.0.0/16"}]}},
        {"detail": {"flag": [1]}},
        {"detail": {"flag": ["true"]}},
        {"detail": {"people": {"name": ["Bob"], "age": [30]}}},
        {"$or": [{"source": ["aws.ec2"]}, {"source": ["aws.sns"]}]},
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
        ({"detail": {"key": [{"regex": "a.*"}]}}, "unknown operator 'regex' at detail.key"),
        ({"detail": {"key": [{"prefix": 3}]}}, "prefix at detail.key cannot take 3"),
        ({"detail": {"key": [{"prefix": "a", "suffix": "b"}]}}, "one operator"),
        ({"detail": {"size": [{"numeric": [">", "3"]}]}}, "numeric at detail.size"),
        ({"detail": {"size": [{"numeric": ["~", 3]}]}}, "numeric at detail.size"),
        ({"detail": {"key": [{"exists": "yes"}]}}, "exists at detail.key"),
        ({"detail": {"key": [{"anything-but": {"numeric": [">", 1]}}]}}, "anything-but at detail.key"),
        ({"$or": [{"source": ["a"]}]}, "$or"),
    ],
)
def test_a_pattern_that_eventbridge_would_refuse_is_refused_with_its_place(pattern: dict[str, Any], place: str) -> None:
    with pytest.raises(PatternInvalid) as refused:
        check(pattern)
    assert place in str(refused.value)
