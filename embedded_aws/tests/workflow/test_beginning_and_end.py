"""Everything begins with the embedded AWS and ends with it, however its process ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded_aws import EmbeddedAws
from embedded_aws.lambdas.process import PRELUDE
from embedded_aws.tests.processes import alive, heed_ctrl_c
from embedded_aws.tests.workflow.small_stack import RUNTIME
from embedded_aws.tests.workflow.waiting_function import start_waiting
from embedded_aws.waiting import until

pytestmark = pytest.mark.prove

REPOSITORY = Path(__file__).parents[3]

PROGRAM = """
import sys, time
from pathlib import Path
from embedded_aws import EmbeddedAws
from embedded_aws.tests.workflow.small_stack import RUNTIME
from embedded_aws.tests.workflow.waiting_function import start_waiting

with EmbeddedAws(runtime=RUNTIME, imported_early=["json"]) as aws:
    start_waiting(aws, Path(sys.argv[1]))
    print("ready", flush=True)
    time.sleep(600)
"""


def test_closing_ends_running_functions_and_frees_the_port(tmp_path: Path) -> None:
    with EmbeddedAws(runtime=RUNTIME) as aws:
        endpoint, folder = aws.endpoint, aws.folder
        pids = start_waiting(aws, tmp_path)
        assert all(alive(pid) for pid in pids)
    until(lambda: not any(alive(pid) for pid in pids), f"processes {pids} are gone")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(endpoint)  # noqa: S310 - a loopback address
    assert not folder.exists()


def test_one_runs_at_a_time_and_each_starts_empty(tmp_path: Path) -> None:
    first = EmbeddedAws(runtime=RUNTIME, folder=tmp_path / "first").start()
    try:
        first.client("sqs").create_queue(QueueName="left-over")
        with pytest.raises(RuntimeError, match="runs in this process already"):
            EmbeddedAws(runtime=RUNTIME, folder=tmp_path / "second").start()
    finally:
        first.close()
    first.close()
    with EmbeddedAws(runtime=RUNTIME, folder=tmp_path / "third") as third:
        assert third.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_given_port_is_used_and_a_taken_one_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        aws = EmbeddedAws(runtime=RUNTIME, folder=tmp_path / "aws", port=port)
        with pytest.raises(OSError, match="Address already in use|in use"):
            aws.start()
    with EmbeddedAws(runtime=RUNTIME, folder=tmp_path / "other", port=port) as free:
        assert free.endpoint == f"http://127.0.0.1:{port}"
        assert free.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_it_listens_on_loopback_alone() -> None:
    with EmbeddedAws(runtime=RUNTIME) as aws:
        port = int(aws.endpoint.rsplit(":", 1)[1])
        for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}:
            if not str(address).startswith("127."):
                with pytest.raises(OSError):
                    socket.create_connection((str(address), port), timeout=1).close()


def test_without_the_runtime_client_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="awslambdaric"):
        EmbeddedAws(runtime=tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent_however_that_ends(tmp_path: Path, how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name != PRELUDE},  # with one, nothing is forked
        text=True,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509 - one thread at this time
    )
    assert parent.stdout is not None
    with parent.stdout, ThreadPoolExecutor(1) as reader:
        assert reader.submit(parent.stdout.readline).result(60) == "ready\n"
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        server = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
        assert server != parent.pid
        pids.append(server)
        assert all(alive(pid) for pid in pids)
        parent.send_signal(how)
        parent.wait(20)
    until(lambda: not any(alive(pid) for pid in pids), f"processes {pids} are gone")
