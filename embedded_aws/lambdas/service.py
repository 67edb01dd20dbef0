"""Invocations from the API's side: which version runs, within which limits, and what becomes of asynchronous ones."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_aws.identities import Identities
from embedded_aws.lambdas.code import CodeStore
from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import (
    MAX_ASYNC_PAYLOAD_BYTES,
    MAX_PAYLOAD_BYTES,
    InvokeRefused,
    Outcome,
    request_too_large,
)
from embedded_aws.lambdas.faults import LambdaFaults
from embedded_aws.lambdas.launch import ForkServer, Launch, alone
from embedded_aws.lambdas.logs import LOG_TAIL_BYTES, FunctionLogs, WriteEvents
from embedded_aws.lambdas.pool import CONCURRENCY_LIMIT, WARM_LIMIT, ProcessPool
from embedded_aws.lambdas.process import PRELUDE, FunctionProcess, Invocation, Surroundings, environment_of_all
from embedded_aws.later import Later

ASYNC_RETRY_SECONDS = (60.0, 120.0)
"""How long Lambda waits before it tries a failed asynchronous invocation a second and a third, last time
(docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)."""

ASYNC_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Archive:
    """The uploaded files of a function or a layer, with the hash (base64 of SHA-256) that the API tells."""

    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """One version of a function as moto keeps it."""

    name: str
    version: str
    arn: str
    role: str
    handler: str
    timeout_seconds: float
    memory_mb: int
    environment: tuple[tuple[str, str], ...]
    code: Archive
    layers: Sequence[Archive]
    log_group: str
    log_format: str = "Text"
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What Invoke answers: payload, whether the function failed, the end of its log."""

    payload: bytes
    is_error: bool
    log_tail: bytes
    executed_version: str


class LambdaService:
    """Runs versions of functions in processes, for the API, the event dispatch and the HTTP front end alike."""

    def __init__(
        self,
        *,
        folder: Path,
        runtime: Path,
        code_folder: Path,
        region: str,
        endpoint: Callable[[], str],
        identities: Identities,
        write_events: WriteEvents,
        warm_limit: int = WARM_LIMIT,
        concurrency_limit: int = CONCURRENCY_LIMIT,
        async_retry_seconds: tuple[float, float] = ASYNC_RETRY_SECONDS,
        imported_early: Sequence[str] = (),
    ) -> None:
        self.faults = LambdaFaults()
        self.environment: dict[str, str] = {name: os.environ[name] for name in (PRELUDE,) if name in os.environ}
        """What every function has in its environment beside Lambda's own and its configuration's."""
        self._runtime = runtime
        self._region = region
        self._endpoint = endpoint
        self._identities = identities
        self._code = CodeStore(code_folder)
        self._scratch = folder / "processes"
        self._scratch.mkdir(parents=True, exist_ok=True)
        log_folder = folder / "logs"
        log_folder.mkdir(exist_ok=True)
        self.logs = FunctionLogs(log_folder, write_events)
        self.pool = ProcessPool(self._start, warm_limit=warm_limit, concurrency_limit=concurrency_limit)
        self._async_retry_seconds = async_retry_seconds
        self._imported_early = tuple(imported_early)
        self._fork_servers: dict[tuple[Path, ...], ForkServer] = {}
        self._fork_servers_lock = threading.Lock()
        self._later = Later("lambda-async", ASYNC_WORKERS)

    def invoke(
        self, version: FunctionVersion, event: bytes, *, invoked_arn: str, client_context: str | None = None
    ) -> Answer:
        """Runs the version and waits for its end. Raises InvokeRefused for what the API itself refuses."""
        if len(event) > MAX_PAYLOAD_BYTES:
            raise request_too_large(len(event), MAX_PAYLOAD_BYTES)
        outcome, log = self._run(version, event, invoked_arn, client_context)
        return Answer(outcome.payload, outcome.is_error, log[-LOG_TAIL_BYTES:], version.version)

    def invoke_later(self, version: FunctionVersion, event: bytes, *, invoked_arn: str) -> None:
        """Takes the event as InvocationType=Event does: runs it soon, again when it fails. Raises InvokeRefused."""
        if len(event) > MAX_ASYNC_PAYLOAD_BYTES:
            raise request_too_large(len(event), MAX_ASYNC_PAYLOAD_BYTES)
        attempts = itertools.count(1)
        self._later.do(lambda: self._attempt(version, event, invoked_arn, next(attempts)))

    def settle(self, timeout_seconds: float = 30.0) -> None:
        """Waits until no asynchronous invocation is under way. Raises TimeoutError."""
        self._later.settle(timeout_seconds)

    def kill(self, function_name: str) -> int:
        """Kills the function's running processes; the number of them."""
        return self.pool.kill(function_name)

    def close(self) -> None:
        self.pool.close()
        self._later.close()
        for server in self._fork_servers.values():
            server.close()

    def _attempt(self, version: FunctionVersion, event: bytes, invoked_arn: str, attempt: int) -> float | None:
        """Runs an asynchronous invocation once; the seconds until the next try, or None when it has ended."""
        try:
            failed = self._run(version, event, invoked_arn, None)[0].is_error
        except InvokeRefused:
            failed = True
        if failed and attempt <= len(self._async_retry_seconds) and not self._later.closed:
            return self._async_retry_seconds[attempt - 1]
        return None

    def _run(
        self, version: FunctionVersion, event: bytes, invoked_arn: str, client_context: str | None
    ) -> tuple[Outcome, bytes]:
        configuration = self._configuration(version)
        invocation = Invocation(str(uuid.uuid4()), event, invoked_arn, client_context, _trace_id())
        self.faults.run_before(configuration, invocation)
        with self.pool.lend(configuration) as process:
            started_ms, start = int(time.time() * 1000), time.monotonic()
            outcome = process.invoke(invocation)
            seconds = time.monotonic() - start
            log = self.logs.add(configuration, process, invocation, outcome, started_ms=started_ms, seconds=seconds)
        return self.faults.run_after(configuration, invocation, outcome), log

    def _configuration(self, version: FunctionVersion) -> FunctionConfiguration:
        return FunctionConfiguration(
            name=version.name,
            version=version.version,
            arn=version.arn,
            role=version.role,
            handler=version.handler,
            timeout_seconds=version.timeout_seconds,
            memory_mb=version.memory_mb,
            environment=version.environment,
            task_root=self._code.unpacked(version.code.content, version.code.sha256),
            layers=tuple(self._code.unpacked(layer.content, layer.sha256) for layer in version.layers),
            log_group=version.log_group,
            log_format=version.log_format,
            reserved_concurrency=version.reserved_concurrency,
        )

    def _start(self, configuration: FunctionConfiguration) -> FunctionProcess:
        credentials = self._identities.issue(configuration.role, configuration.name)
        surroundings = Surroundings(
            runtime=self._runtime,
            scratch=self._scratch,
            endpoint=self._endpoint(),
            region=self._region,
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            session_token=credentials.session_token,
            extra_environment=dict(self.environment),
        )
        return FunctionProcess(configuration, surroundings, self._launch(configuration.layers, surroundings))

    def _launch(self, layers: tuple[Path, ...], surroundings: Surroundings) -> Launch:
        """How a process with these layers is started: as a fork, where something is to be imported early."""
        if not self._imported_early or PRELUDE in os.environ:  # what measures coverage runs before all imports
            return alone
        with self._fork_servers_lock:
            if layers not in self._fork_servers:
                environment = environment_of_all(surroundings, layers)
                self._fork_servers[layers] = ForkServer(environment, self._imported_early)
            return self._fork_servers[layers]


def event_bytes(body: str | bytes | None) -> bytes:
    """The body of an Invoke as the handler's event: `{}` when there is none. Raises InvokeRefused for no JSON."""
    content = body.encode() if isinstance(body, str) else body
    if not content:
        return b"{}"
    try:
        json.loads(content)
    except ValueError as error:
        raise InvokeRefused(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", 400
        ) from error
    return content


def _trace_id() -> str:
    identity = uuid.uuid4().hex
    return f"Root=1-{int(time.time()):08x}-{identity[:24]};Parent={identity[16:]};Sampled=0"
