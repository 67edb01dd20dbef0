"""A web hook for notices: confirms the subscription, takes only what SNS signed, and acts on each notice once.

Run it behind TLS: `python https_receiver.py TOPIC_ARN PORT`. It needs the package `cryptography`.
docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html explains the signature.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_OF_SNS = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com/")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}

MOST_BYTES = 1024 * 1024
"""SNS sends at most 256 KiB, which is longer as text within JSON. Anybody on the internet can send more."""

Fetch = Callable[[str], bytes]


class NotFromSns(Exception):
    """The request is not what SNS sends for our topic."""


def fetch(url: str) -> bytes:
    """What is at an address of SNS."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - callers ask for addresses of SNS alone
        return bytes(answer.read())


def verify(envelope: dict[str, Any], topic: str, fetch: Fetch) -> None:
    """Check that SNS signed the message, for this topic.

    Raises:
        NotFromSns: it did not.
    """
    members = _SIGNED.get(str(envelope.get("Type")))
    certificate_url = str(envelope.get("SigningCertURL", ""))
    if members is None or envelope.get("TopicArn") != topic or not _OF_SNS.match(certificate_url):
        raise NotFromSns
    text = "".join(f"{name}\n{envelope[name]}\n" for name in members if envelope.get(name) is not None)
    algorithm = hashes.SHA256() if envelope.get("SignatureVersion") == "2" else hashes.SHA1()  # noqa: S303 - SNS's version 1
    key = x509.load_pem_x509_certificate(fetch(certificate_url)).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotFromSns
    try:
        key.verify(base64.b64decode(envelope["Signature"]), text.encode(), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, KeyError, ValueError):
        raise NotFromSns from None


def receiver(topic: str, port: int, act: Callable[[dict[str, Any]], None], fetch: Fetch = fetch) -> ThreadingHTTPServer:
    """A server that calls `act` with each new notice. Keep the ids of the notices in a database instead of a set."""
    seen: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                envelope = self._envelope()
                verify(envelope, topic, fetch)
            except NotFromSns:
                self.send_response(403)
            else:
                self._take(envelope)
                self.send_response(200)
            self.end_headers()

        def _envelope(self) -> dict[str, Any]:
            size = self.headers["Content-Length"] or ""
            if not size.isdecimal() or int(size) > MOST_BYTES:
                raise NotFromSns
            try:
                envelope = json.loads(self.rfile.read(int(size)))
            except (ValueError, RecursionError):
                raise NotFromSns from None
            if not isinstance(envelope, dict):
                raise NotFromSns
            return envelope

        def _take(self, envelope: dict[str, Any]) -> None:
            if envelope["Type"] == "SubscriptionConfirmation":
                if _OF_SNS.match(envelope["SubscribeURL"]):
                    fetch(envelope["SubscribeURL"])
                return
            notice = json.loads(envelope["Message"])
            if notice["notice_id"] not in seen:
                act(notice)
                seen.add(notice["notice_id"])

        def log_message(self, *_: Any) -> None:
            """Say nothing of each request."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def show(notice: dict[str, Any]) -> None:
    """Do your part here."""
    sys.stdout.write(f"{notice['headline']} {notice['next']}\n")


if __name__ == "__main__":
    receiver(sys.argv[1], int(sys.argv[2]), show).serve_forever()
