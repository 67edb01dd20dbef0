"""JSON objects, one a line, by standard input and output; whatever else a library prints goes to standard error."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]


class Pipes:
    """The process's two ends. `say` may be called by any thread."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # a print of a library must not stand between two messages
        self._lock = threading.Lock()

    def say(self, message: Message) -> None:
        """Write a message. Ends the process when nobody reads any more: what started it has gone."""
        try:
            with self._lock:
                self._out.write(json.dumps(message, ensure_ascii=True) + "\n")
                self._out.flush()
        except BrokenPipeError:
            os._exit(0)

    def heard(self) -> Iterator[Message]:
        """Every message as it comes, until the other side closes."""
        for line in sys.stdin:
            message: Message = json.loads(line)
            yield message
