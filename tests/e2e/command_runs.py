"""The `tunedrop` command as a user starts it: a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded_aws.tests.processes import heed_ctrl_c
from local.command.running_stack import REFUSED

REPOSITORY = Path(__file__).resolve().parents[2]
TUNEDROP = Path(sys.executable).with_name("tunedrop")
STOP_SECONDS = 30
GSM8K = REPOSITORY / "events/datasets/gsm8k"


def small_gsm8k(folder: Path, *, train: int = 100, test: int = 60) -> Path:
    """The first rows of the demo's dataset; the folder."""
    folder.mkdir()
    for name, rows in (("train.jsonl", train), ("test.jsonl", test)):
        lines = (GSM8K / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(lines[:rows]))
    return folder


def tunedrop(*words: str, cwd: Path = REPOSITORY, timeout: float = 500) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, as from a pipe. Raises AssertionError where a role lacked a permission.

    `timeout` ends what hangs: a loaded machine is slow, and that is no failure.
    """
    done = subprocess.run([TUNEDROP, *words], capture_output=True, text=True, cwd=cwd, timeout=timeout, check=False)
    assert REFUSED not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def last_line(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON of the last line on stdout."""
    line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return line


@contextmanager
def tunedrop_up(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`tunedrop up --json` while it runs: its process and the environment that it told.

    Other tests' commands must not find it by themselves, so it writes its environment where nobody looks.
    """
    folder = tempfile.TemporaryDirectory()
    elsewhere = () if "--environment" in words else ("--environment", f"{folder.name}/environment")
    process = subprocess.Popen(
        [TUNEDROP, "up", "--json", *elsewhere, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509 - one thread at this time
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise AssertionError(f"tunedrop up did not come up: {process.communicate()[1]}")
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate()
        folder.cleanup()


def stop(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal and wait for the end. One that does not come fails with what every thread was doing."""
    process.send_signal(number)
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        _, stacks = process.communicate()
        raise AssertionError(f"signal {number} did not end the process within {STOP_SECONDS} s:\n{stacks}") from None


def descendants(pid: int) -> set[int]:
    """The processes that `pid` started, and those that they started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The parent's id is the second field after the name, which is in brackets and may hold anything.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    ahead = [pid]
    while ahead:
        new = children.get(ahead.pop(), [])
        found.update(new)
        ahead += new
    return found
