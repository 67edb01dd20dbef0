"""A mail server on this machine that keeps what it gets."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP


@dataclass
class Mailbox:
    """`address` is the server's host and port; `mails` come in the order in which they were sent."""

    address: tuple[str, int]
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A server that takes mails for anybody (RFC 5321), until the context ends."""
    kept: list[EmailMessage] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mailbox")
            for line in self.rfile:
                command = line.split(b":")[0].strip().upper()
                if command == b"DATA":
                    self._say("354 go on")
                    kept.append(self._mail())
                elif command == b"QUIT":
                    self._say("221 bye")
                    return
                self._say("250 ok")

        def _mail(self) -> EmailMessage:
            lines = []
            for line in self.rfile:
                if line == b".\r\n":
                    break
                lines.append(line[1:] if line.startswith(b".") else line)
            return email.message_from_bytes(b"".join(lines), EmailMessage, policy=SMTP)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        host, port = server.server_address[:2]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Mailbox((str(host), int(port)), kept)
        server.shutdown()
