"""The local Bedrock, or a whole stack, ends under a command: the command says so at once, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from embedded_aws.waiting import until
from tests.e2e.command_runs import REPOSITORY, TUNEDROP, small_gsm8k, stop, tunedrop_up

pytestmark = pytest.mark.prove


def bedrock_of(pid: int) -> int | None:
    """The process id of the local Bedrock that a command has started."""
    started = [each for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]
    return next((int(each) for each in started if b"local.bedrock" in Path(f"/proc/{each}/cmdline").read_bytes()), None)


def test_a_run_whose_bedrock_is_killed_ends_with_the_stage_that_it_was_in(tmp_path: Path) -> None:
    command = [str(TUNEDROP), "run", str(small_gsm8k(tmp_path / "rows")), "--plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as run:
        assert run.stdout is not None
        line = next(each for each in run.stdout if "SubmitJob" in each)
        assert "job ftjob-" in line
        bedrock = bedrock_of(run.pid)
        assert bedrock is not None
        os.kill(bedrock, signal.SIGKILL)
        _, told = run.communicate(timeout=30)
    assert run.returncode == 1
    assert "was in PollJob, and cannot go on: the local Bedrock has ended by signal 9" in told


def test_up_ends_when_its_bedrock_is_killed() -> None:
    with tunedrop_up() as (process, _):
        os.kill(until(lambda: bedrock_of(process.pid), "the local Bedrock"), signal.SIGKILL)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "nothing can be trained or asked any more: the local Bedrock has ended by signal 9" in told


def test_a_run_at_an_up_that_is_ended_says_so_and_ends(tmp_path: Path) -> None:
    command = [str(TUNEDROP), "run", str(small_gsm8k(tmp_path / "rows")), "--plain"]
    with tunedrop_up() as (up, told_by_up):
        environment = {**os.environ, **told_by_up}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment
        ) as run:
            assert run.stdout is not None
            assert next((each for each in run.stdout if "SubmitJob" in each), None)
            stop(up, signal.SIGINT)
            _, told = run.communicate(timeout=120)
    assert run.returncode == 1
    assert f"the stack at {told_by_up['TUNEDROP_API_URL']} has ended, and run rows-" in told
