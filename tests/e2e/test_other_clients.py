"""Clients of other languages drive whole runs: the AWS SDK for JavaScript and openai for Node, unmodified."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.command_runs import REPOSITORY, small_gsm8k, tunedrop_up

SCRIPT = REPOSITORY / "tests/e2e/javascript"


@pytest.mark.prove
def test_javascript_drives_runs_by_a_drop_by_the_api_and_by_the_openai_sdk(tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("NOT PROVED: node and npm (20 or later) are not on this machine")
    for name in ("package.json", "package-lock.json", "whole_run.mjs"):
        shutil.copy(SCRIPT / name, tmp_path)
    # The lock names each package's hash; it comes from the registry that npm is set up for.
    installed = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    dataset = small_gsm8k(tmp_path / "dataset", test=20)
    with tunedrop_up() as (_, environment):
        done = subprocess.run(
            [node, "whole_run.mjs", dataset],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment},
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "dropped": "SUCCEEDED",
        "execution": "SUCCEEDED",
        "called": "SUCCEEDED",
        "same_run": True,
        "job": "succeeded",
        "answered": True,
        "streamed": True,
    }
