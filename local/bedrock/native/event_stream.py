"""The frames in which Bedrock's runtime streams: application/vnd.amazon.eventstream.

A frame is its length, the length of its headers, a CRC of both; the headers; the payload; a CRC of all before it. All
numbers are big-endian (smithy.io/2.0/aws/amazon-eventstream.html).
"""

from __future__ import annotations

import struct
import zlib

import orjson

from local.bedrock.records import Document

MEDIA_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7  # the type of a header's value
_AROUND = 16  # bytes of a frame beside headers and payload


def event(kind: str, payload: Document) -> bytes:
    """An event of this kind with a JSON payload, as one frame."""
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":event-type", kind),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    body = orjson.dumps(payload)
    prelude = struct.pack("!II", _AROUND + len(headers) + len(body), len(headers))
    frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return frame + struct.pack("!I", zlib.crc32(frame))


def _header(name: str, value: str) -> bytes:
    named, text = name.encode(), value.encode()
    return struct.pack("!B", len(named)) + named + struct.pack("!BH", _STRING, len(text)) + text
