"""One process of a function: starts it, hands it one invocation at a time, tells how each ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedded_aws.lambdas import errors
from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import MAX_RESPONSE_BYTES, Outcome
from embedded_aws.lambdas.launch import Launch
from embedded_aws.lambdas.runtime_api import DeadlinePassed, ProcessGone, RuntimeApi

PRELUDE = "EMBEDDED_AWS_PRELUDE"
"""The variable that names a Python file which each function's process runs first, as `function_bootstrap.py` reads it.

Where it is set, all functions of an embedded AWS have it.
"""

INIT_SECONDS = 10.0
"""Lambda's own limit of the init phase; what is not ready by then goes on under the function's timeout."""

RETURN_SECONDS = 5.0
"""How long the runtime client may take from its answer to its next question."""

STOP_SECONDS = 5.0
"""How long a killed process may take to be gone before we give up on it."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function. `client_context` is the decoded JSON text that the handler's context gets."""

    request_id: str
    event: bytes
    invoked_arn: str
    client_context: str | None = None
    trace_id: str = "Root=1-00000000-000000000000000000000000;Sampled=0"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process needs beside its function: the stack's folders, endpoint and region, and its credentials."""

    runtime: Path
    """The folder with AWS's runtime client, as /var/runtime holds it."""
    scratch: Path
    endpoint: str
    region: str
    access_key: str
    secret_key: str
    session_token: str
    extra_environment: Mapping[str, str] = field(default_factory=dict)


class FunctionProcess:
    """Runs one invocation at a time; after a timeout, an exit or a failed start it is `dead` and must be replaced."""

    def __init__(self, configuration: FunctionConfiguration, surroundings: Surroundings, launch: Launch) -> None:
        self.configuration = configuration
        self.access_key = surroundings.access_key
        self.init_seconds: float | None = None
        self._api = RuntimeApi()
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{configuration.name[:40]}-", dir=surroundings.scratch))
        self._log = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the process
        self._log_position = 0
        self._started = time.monotonic()
        self._dead = False
        self._killed = threading.Lock()
        lifeline, other_end = os.pipe()
        self._lifeline = os.fdopen(other_end, "wb")  # the process ends itself when nobody holds this end any more
        environment = _environment(configuration, surroundings, self._api.address, self._scratch)
        try:
            self._process = launch(environment, configuration.task_root, stdin=lifeline, output=self._log.fileno())
        finally:
            os.close(lifeline)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def dead(self) -> bool:
        return self._dead or self._process.poll() is not None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Runs the handler once, starting it first when this is the first call."""
        timeout = self.configuration.timeout_seconds
        try:
            failure = self._initialise(timeout)
            outcome = failure or self._hand_over(invocation, timeout)
        except DeadlinePassed:
            outcome = errors.timed_out(invocation.request_id, timeout)
            self.kill()
        except ProcessGone:
            self.kill()
            outcome = errors.exited(invocation.request_id, self._exit_status())
        return Outcome(outcome.payload, outcome.is_error, self._new_output())

    def _initialise(self, timeout: float) -> Outcome | None:
        """Waits for the handler to be imported. What the runtime client reports instead is the invocation's outcome."""
        if self.init_seconds is not None:
            return None
        first = self._api.receive(self._started + INIT_SECONDS + timeout, self._alive)
        self.init_seconds = time.monotonic() - self._started
        if first.is_init_error:
            self._dead = True
            self._api.answer("202 Accepted")
            return Outcome(first.body, is_error=True)
        return None

    def _hand_over(self, invocation: Invocation, timeout: float) -> Outcome:
        start = time.monotonic()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.invoked_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        if invocation.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        self._api.answer("200 OK", invocation.event, headers)
        result = self._api.receive(start + timeout, self._alive)
        if len(result.body) > MAX_RESPONSE_BYTES and not result.is_error:
            self._api.answer("413 Payload Too Large", b"{}")
            self.kill()
            return errors.response_too_large()
        self._api.answer("202 Accepted", b'{"status":"OK"}')
        self._await_next()
        return Outcome(result.body, is_error=result.is_error)

    def _await_next(self) -> None:
        """The runtime client asks for the next invocation when this one is done: then its output is complete."""
        try:
            following = self._api.receive(time.monotonic() + RETURN_SECONDS, self._alive)
        except (DeadlinePassed, ProcessGone):  # it ended after its answer: the answer stands, the process does not
            self.kill()
            return
        if not following.is_next:
            self.kill()

    def kill(self) -> None:
        """Ends the process and all that it has started; from any thread, also in the midst of an invocation."""
        self._dead = True
        # Once only: when its group is gone, the system gives the number to another, which is none of ours.
        if self._killed.acquire(blocking=False):
            self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the process and gives back what it held."""
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._lifeline.close()
        self._api.close()
        self._log.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _alive(self) -> bool:
        return self._process.poll() is None

    def _exit_status(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(STOP_SECONDS)
        return None

    def _new_output(self) -> bytes:
        size = os.fstat(self._log.fileno()).st_size
        output = os.pread(self._log.fileno(), size - self._log_position, self._log_position)
        self._log_position = size
        return output


def _environment(
    configuration: FunctionConfiguration, surroundings: Surroundings, runtime_api: str, scratch: Path
) -> dict[str, str]:
    """Lambda's documented environment; nothing of this machine's own environment gets in.

    docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    shared = environment_of_all(surroundings, configuration.layers)
    reserved = {
        "_HANDLER": configuration.handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": configuration.name,
        "AWS_LAMBDA_FUNCTION_VERSION": configuration.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.log_group,
        "AWS_LAMBDA_LOG_FORMAT": configuration.log_format,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"[{configuration.version}]{scratch.name}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        **{name: shared[name] for name in RESERVED_OF_ALL},
        "AWS_ACCESS_KEY_ID": surroundings.access_key,
        "AWS_SECRET_ACCESS_KEY": surroundings.secret_key,
        "AWS_SESSION_TOKEN": surroundings.session_token,
        "LAMBDA_TASK_ROOT": str(configuration.task_root),
    }
    ours = {
        **shared,
        "PYTHONPATH": os.pathsep.join([str(configuration.task_root), shared["PYTHONPATH"]]),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }
    return {**ours, **surroundings.extra_environment, **dict(configuration.environment), **reserved}


RESERVED_OF_ALL = ("AWS_EXECUTION_ENV", "AWS_REGION", "AWS_DEFAULT_REGION", "LAMBDA_RUNTIME_DIR")
"""The reserved variables that have one value for all functions."""


def environment_of_all(surroundings: Surroundings, layers: Sequence[Path]) -> dict[str, str]:
    """What is the same for every function with these layers."""
    python_path = [*(layer / "python" for layer in reversed(layers)), surroundings.runtime]
    return {
        "AWS_ENDPOINT_URL": surroundings.endpoint,
        # A developer's own profile must not reach into a function, as it does not on AWS.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_REGION": surroundings.region,
        "AWS_DEFAULT_REGION": surroundings.region,
        "LAMBDA_RUNTIME_DIR": str(surroundings.runtime),
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in python_path),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "PYTHONUTF8": "1",
        "TZ": ":UTC",
    }


def client_context_text(encoded_json: str) -> str:
    """The header's JSON on one line in ASCII, so that it fits into a header again. Raises ValueError for no JSON."""
    return json.dumps(json.loads(encoded_json))
