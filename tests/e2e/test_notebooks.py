"""The calls of AWS's notebooks, by SDKs that know nothing but the file that `tunedrop up` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_runs import REPOSITORY, tunedrop_up

NOTEBOOKS = REPOSITORY / "tests/e2e/notebooks"


def run_notebook(name: str, region: str, folder: Path) -> Any:
    """What the script's last line says."""
    written = folder / "environment"
    with tunedrop_up("--region", region, "--environment", str(written)):
        done = subprocess.run(
            ["/bin/sh", "-c", '. "$0"; exec "$@"', str(written), sys.executable, str(NOTEBOOKS / name)],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.prove
def test_the_notebook_of_nova_trains_deploys_and_asks_by_boto3_alone(tmp_path: Path) -> None:
    assert run_notebook("nova_by_boto3.py", "us-east-1", tmp_path) == {
        "account": "123456789012",
        "reward": 1.0,
        "job": "Completed",
        "deployment": "Active",
        "answers": {"tuned": [True], "base": [True]},
        "tags": [{"key": "purpose", "value": "notebook"}],
        "models": ["gsm8k-nova-lite-rft"],
        "left": [],
    }


@pytest.mark.prove
def test_the_notebook_of_open_weight_models_runs_by_openai_alone(tmp_path: Path) -> None:
    assert run_notebook("open_weight_by_openai.py", "us-west-2", tmp_path) == {
        "job": "succeeded",
        "listed": True,
        "metrics": True,
        "checkpoints": True,
        "answers": [True, True, True],
        "streamed": True,
        "second_turn": "completed",
    }
