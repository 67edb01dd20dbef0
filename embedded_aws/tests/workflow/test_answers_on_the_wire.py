"""Every client gets an answer, however the call goes, and at once, whatever listens to its event."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from embedded_aws import EmbeddedAws
from embedded_aws.calls import Call
from embedded_aws.tests.workflow.small_stack import SmallStack

pytestmark = pytest.mark.prove

PATIENCE_SECONDS = 10.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def put_with_expect(aws: EmbeddedAws, path: str, body: bytes) -> bytes:
    """All that the server sends a client of HTTP/1.1 that waits for `100 Continue`, up to the end of the connection."""
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEMBEDDEDAWSLOCAL/20260101/us-west-2/s3/aws4_request, "
        "SignedHeaders=host, Signature=0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(aws.endpoint).port or 0), PATIENCE_SECONDS) as connection:
        connection.sendall(head.encode())
        came = connection.recv(len(CONTINUE), socket.MSG_WAITALL)
        connection.sendall(body)
        while piece := connection.recv(65536):
            came += piece
    return came


@contextmanager
def listening(aws: EmbeddedAws, listener: Any) -> Iterator[None]:
    aws.dispatch.listeners.append(listener)
    try:
        yield
    finally:
        aws.dispatch.listeners.remove(listener)


def test_a_client_that_expects_100_gets_one_and_then_its_answer(stack: SmallStack) -> None:
    came = put_with_expect(stack.aws, f"/{stack.InboxName}/elsewhere/expected.txt", b"x" * 1_000_000)
    assert came.startswith(CONTINUE + b"HTTP/1.1 200 OK\r\n")
    assert came.count(b"100 Continue") == 1


@pytest.mark.parametrize("broken", [TimeoutError("timed out"), ConnectionRefusedError("refused")])
def test_a_call_that_breaks_as_a_connection_does_is_answered_500(stack: SmallStack, broken: Exception) -> None:
    def break_put(call: Call) -> None:
        if call.action == "PutObject":
            raise broken

    stop = stack.aws.calls.observe(break_put)
    try:
        came = put_with_expect(stack.aws, f"/{stack.InboxName}/elsewhere/broken.txt", b"x")
    finally:
        stop()
    assert came.startswith(CONTINUE + b"HTTP/1.1 500 ")


def test_an_upload_is_answered_before_its_event_is_heard_and_delivered(stack: SmallStack) -> None:
    answered, heard = threading.Event(), []

    def hear(event: Mapping[str, Any]) -> None:
        heard.append(answered.wait(PATIENCE_SECONDS))
        heard.append(len(stack.aws.dispatch.deliveries) == before)

    stack.aws.dispatch.settle()
    before = len(stack.aws.dispatch.deliveries)
    with listening(stack.aws, hear):
        stack.upload("texts/heard.txt", "a b")
        answered.set()
        stack.aws.dispatch.settle()
    assert heard[:2] == [True, True]
    assert len(stack.aws.dispatch.deliveries) > before


def test_a_listener_that_breaks_holds_up_neither_answer_nor_delivery(stack: SmallStack) -> None:
    def hear(event: Mapping[str, Any]) -> None:
        raise TimeoutError(f"did not hear {event['id']}")

    stack.aws.dispatch.settle()
    before = len(stack.aws.dispatch.deliveries)
    with listening(stack.aws, hear):
        stack.upload("texts/unheard.txt", "a b")
        stack.aws.dispatch.settle()
    assert len(stack.aws.dispatch.deliveries) > before


def test_a_key_may_hold_any_character_and_its_event_names_it(stack: SmallStack) -> None:
    s3, bucket = stack.aws.client("s3"), stack.InboxName
    keys = [
        *("elsewhere//twice", "elsewhere/line\nfeed/\n", "elsewhere/\x01\x1b[31m\x7f", "elsewhere/\u30c7\u30fc\u30bf"),
        *("elsewhere/a b+c%25&d=e?f#g", "elsewhere/../up", "elsewhere/'\"<>"),
    ]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    told = [event["detail"].get("object", {}).get("key") for event in list(stack.aws.dispatch.events)]
    assert [key for key in told if key in keys] == keys


def test_a_part_of_an_object_is_what_was_asked_for(stack: SmallStack) -> None:
    s3, place = stack.aws.client("s3"), {"Bucket": stack.InboxName, "Key": "elsewhere/parts.txt"}
    s3.put_object(Body=b"0123456789", **place)
    for asked, told in {
        "bytes=2-4": b"234",
        "bytes=7-": b"789",
        "bytes=-2": b"89",
        "bytes=8-99": b"89",
        "bytes=5-2": b"0123456789",
        "bytes=0-1,3-4": b"0123456789",
        "bytes=a-b": b"0123456789",
    }.items():
        assert s3.get_object(Range=asked, **place)["Body"].read() == told, asked
    with pytest.raises(s3.exceptions.ClientError, match="InvalidRange"):
        s3.get_object(Range="bytes=10-", **place)
    assert s3.get_object(**place)["Body"].read() == b"0123456789"
