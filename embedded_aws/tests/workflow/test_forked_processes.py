"""A function's process that is a fork behaves as one that was started by itself; it only begins sooner."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import Outcome
from embedded_aws.lambdas.launch import ForkServer, Launch, alone
from embedded_aws.lambdas.process import FunctionProcess, Invocation, Surroundings, environment_of_all
from embedded_aws.tests.processes import alive
from embedded_aws.tests.workflow.small_stack import RUNTIME
from embedded_aws.waiting import until

pytestmark = pytest.mark.prove

SEEN = """
import os, sys

EARLY = "colorsys" in sys.modules

def handler(event, context):
    return {
        "path": sys.path, "environment": dict(os.environ), "folder": os.getcwd(), "arguments": sys.argv,
        "optimized": sys.flags.optimize, "leads its group": os.getpgid(0) == os.getpid(), "early": EARLY,
    }
"""

ENDS = """
import os, pathlib, subprocess, sys, time

def handler(event, context):
    print("asked to", event["how"])
    if event["how"] == "leave":
        os._exit(3)
    if event["how"] == "die":
        os.kill(0, 9)
    if event["how"] == "change its code":
        pathlib.Path(__file__).write_text("")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path(event["file"]).write_text(str(child.pid))
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    return Surroundings(RUNTIME, tmp_path_factory.mktemp("scratch"), "http://127.0.0.1:1", "us-west-2", "k", "s", "t")


@pytest.fixture(scope="module")
def fork(surroundings: Surroundings) -> Iterator[ForkServer]:
    server = ForkServer(environment_of_all(surroundings, ()), ["colorsys", "nowhere_to_be_found"])
    yield server
    server.close()


Call = Callable[..., Any]


@pytest.fixture
def call(surroundings: Surroundings, tmp_path: Path) -> Iterator[Call]:
    """Calls a function of this source once, in a new process that is started so."""
    started: list[FunctionProcess] = []

    def invoke(launch: Launch, source: str, event: Any = None, environment: dict[str, str] | None = None) -> Outcome:
        (tmp_path / "app.py").write_text(source)
        configuration = FunctionConfiguration(
            name="one",
            version="1",
            arn="arn",
            role="role",
            log_group="log",
            log_format="Text",
            handler="app.handler",
            timeout_seconds=2,
            memory_mb=128,
            environment=tuple((environment or {}).items()),
            task_root=tmp_path,
            layers=(),
        )
        process = FunctionProcess(configuration, surroundings, launch)
        started.append(process)
        return process.invoke(Invocation("1", json.dumps(event).encode(), "arn:1"))

    yield invoke
    for each in started:
        each.close()


def test_a_fork_sees_what_a_process_that_was_started_by_itself_sees(call: Call, fork: ForkServer) -> None:
    seen = [json.loads(call(launch, SEEN, environment={"COLOUR": "red"}).payload) for launch in (alone, fork)]
    assert [each.pop("early") for each in seen] == [False, True]
    own = {"HOME", "TMPDIR", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME"}
    for each in seen:
        each["environment"] = {name: value for name, value in each["environment"].items() if name not in own}
    assert seen[0]["environment"]["COLOUR"] == "red"
    assert seen[0]["leads its group"]
    assert seen[0] == seen[1]


def test_forks_share_nothing_that_one_of_them_changes(call: Call, fork: ForkServer) -> None:
    source = (
        "import colorsys, os\n\ndef handler(event, context):\n    before = vars(colorsys).get('changed')\n"
        "    colorsys.changed = True\n    os.environ['CHANGED'] = 'yes'\n    return before\n"
    )
    assert [call(fork, source).payload for _ in range(2)] == [b"null", b"null"]


@pytest.mark.parametrize(("name", "value"), [("PYTHONOPTIMIZE", "1"), ("TZ", "CET")])
def test_what_an_interpreter_reads_when_it_starts_is_read(call: Call, fork: ForkServer, name: str, value: str) -> None:
    seen = json.loads(call(fork, SEEN, environment={name: value}).payload)
    assert seen["environment"][name] == value
    assert seen["optimized"] == (name == "PYTHONOPTIMIZE")
    assert not seen["early"]


def test_a_functions_own_module_goes_before_one_that_was_imported_early(
    call: Call, fork: ForkServer, tmp_path: Path
) -> None:
    (tmp_path / "colorsys.py").write_text("WHOSE = 'mine'\n")
    source = "import colorsys\n\ndef handler(event, context):\n    return colorsys.WHOSE\n"
    assert call(fork, source).payload == b'"mine"'


def test_what_could_not_be_imported_early_fails_in_the_function_that_asks_for_it(call: Call, fork: ForkServer) -> None:
    outcome = call(fork, "import nowhere_to_be_found\n")
    assert outcome.is_error
    assert b"No module named 'nowhere_to_be_found'" in outcome.payload


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("leave", "Runtime exited with error: exit status 3"),
        ("die", "Runtime exited with error: signal: killed"),
        ("change its code", "[Errno 30] Read-only file system"),
        ("wait", "Task timed out after 2.00 seconds"),
    ],
)
def test_a_fork_ends_as_a_process_that_was_started_by_itself(
    call: Call, fork: ForkServer, tmp_path_factory: pytest.TempPathFactory, how: str, error: str
) -> None:
    file = tmp_path_factory.mktemp("child") / "pid"
    outcome = call(fork, ENDS, {"how": how, "file": str(file)})
    assert outcome.is_error
    assert error in json.loads(outcome.payload)["errorMessage"]
    assert outcome.log.startswith(b"asked to " + how.encode())
    if how == "wait":
        child = int(file.read_text())
        until(lambda: not alive(child), f"process {child}, which the handler had started, is gone")


def test_a_fork_server_that_was_killed_is_said(surroundings: Surroundings) -> None:
    server = ForkServer(environment_of_all(surroundings, ()), [])
    server.close()
    with Path(os.devnull).open("rb") as null, pytest.raises(RuntimeError, match="forked from has ended"):
        server({}, Path(), null.fileno(), null.fileno())
