"""What functions write: a file for each function under the stack's folder, and CloudWatch Logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import Outcome
from embedded_aws.lambdas.process import FunctionProcess, Invocation

LOG_TAIL_BYTES = 4 * 1024
"""What Invoke returns with LogType=Tail: the last 4 KB (docs.aws.amazon.com/lambda/latest/api/API_Invoke.html)."""

WriteEvents = Callable[[str, str, str, Sequence[tuple[int, str]]], None]
"""Writes (milliseconds since the epoch, message) pairs to the stream of a log group: role, group, stream, events."""


class FunctionLogs:
    """Appends each invocation's lines to `<folder>/<function>.log` and to the function's log group."""

    def __init__(self, folder: Path, write_events: WriteEvents) -> None:
        self._folder = folder
        self._write_events = write_events
        self._lock = threading.Lock()

    def path(self, function_name: str) -> Path:
        return self._folder / f"{function_name}.log"

    def add(
        self,
        configuration: FunctionConfiguration,
        process: FunctionProcess,
        invocation: Invocation,
        outcome: Outcome,
        *,
        started_ms: int,
        seconds: float,
    ) -> bytes:
        """Writes the invocation down with Lambda's START, END and REPORT lines; returns its text."""
        request_id = invocation.request_id
        written = outcome.log.decode("utf-8", "replace").replace("\r", "\n")
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
            f"Billed Duration: {int(seconds * 1000) + 1} ms\tMemory Size: {configuration.memory_mb} MB"
        )
        lines = [f"START RequestId: {request_id} Version: {configuration.version}"]
        lines += [line for line in written.split("\n") if line]
        if outcome.error_type == "Sandbox.Timedout":
            lines.append(f"{request_id} Task timed out after {configuration.timeout_seconds:.2f} seconds")
        lines += [f"END RequestId: {request_id}", report]
        text = "".join(f"{line}\n" for line in lines).encode()
        with self._lock, self.path(configuration.name).open("ab") as log:
            log.write(text)
        stamp = time.strftime("%Y/%m/%d", time.gmtime(started_ms / 1000))
        stream = f"{stamp}/{configuration.name}[{configuration.version}]{process.access_key.lower()}{process.pid:012x}"
        self._write_events(configuration.role, configuration.log_group, stream, [(started_ms, line) for line in lines])
        return text
