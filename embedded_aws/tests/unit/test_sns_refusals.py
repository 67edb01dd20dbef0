"""What SNS refuses (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from __future__ import annotations

import pytest

from embedded_aws.sns_rules import MAX_MESSAGE_BYTES, problem


@pytest.mark.parametrize("subject", [None, "x", "x" * 99, "Run gsm8k-1: SUCCEEDED (improved)", "[note]"])
def test_a_plain_subject_is_taken(subject: str | None) -> None:
    assert problem("message", subject, None) is None


@pytest.mark.parametrize(
    "subject", ["", "x" * 100, "für alle", "two\nlines", "tab\there", "bell\x07", " leading", "\x7f"]
)
def test_a_bad_subject_is_refused(subject: str) -> None:
    assert problem("message", subject, None) == "Invalid parameter: Subject"


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_attribute_is_refused_by_name(value: str | None) -> None:
    found = problem("message", None, {"verdict": {"Type": "String", "Value": value}})
    assert found is not None
    assert "'verdict' must contain non-empty message attribute value" in found


@pytest.mark.parametrize("name", ["a", "a.b", "A-b_c.9", "x" * 256, "awsome"])
def test_a_plain_attribute_is_taken(name: str) -> None:
    assert problem("message", None, {name: {"Type": "String", "Value": "line\nanother\ttab, ü, 漢"}}) is None


@pytest.mark.parametrize(
    "name", ["", ".a", "a.", "a..b", "a b", "ü", "x" * 257, "AWS.a", "aws.a", "Amazon.a", "a\n", "a\x07"]
)
def test_an_attribute_s_name_keeps_the_rules(name: str) -> None:
    found = problem("message", None, {name: {"Type": "String", "Value": "v"}})
    assert found is not None
    assert "Invalid parameter: MessageAttributes" in found


@pytest.mark.parametrize("value", ["bell\x07", "nul\x00", "escape\x1b[31m", "\ufffe", "half \ud800"])
def test_an_attribute_has_no_control_character(value: str) -> None:
    found = problem("message", None, {"verdict": {"Type": "String", "Value": value}})
    assert found is not None
    assert "'verdict' has invalid characters" in found


def test_an_array_of_texts_is_json() -> None:
    assert problem("m", None, {"a": {"Type": "String.Array", "Value": '["x", 1]'}}) is None
    assert problem("m", None, {"a": {"Type": "String.Array", "Value": "x"}}) is not None


def test_an_empty_message_is_refused() -> None:
    assert problem("", None, None) == "Invalid parameter: Empty message"


def test_a_message_may_have_so_many_bytes_with_its_attributes() -> None:
    attributes = {"a": {"Type": "String", "Value": "b"}}
    room = MAX_MESSAGE_BYTES - len("aStringb")
    assert problem("x" * room, None, attributes) is None
    assert problem("x" * (room + 1), None, attributes) == "Invalid parameter: Message too long"
    assert problem("ü" * (MAX_MESSAGE_BYTES // 2 + 1), None, None) == "Invalid parameter: Message too long"
