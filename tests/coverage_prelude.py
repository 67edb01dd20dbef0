"""Runs first in each function's process under `make coverage`: measures which lines of the package it reaches.

The process ends by a kill, so what was reached is saved whenever the runtime client asks for the next invocation.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def measure() -> None:
    packages = str(next((ROOT / ".venv/lib").glob("python3*/site-packages")))
    sys.path.append(packages)
    import coverage

    # The function has a copy of the package; `tool.coverage.paths` says that the copy stands for it.
    coverage_of_process = coverage.Coverage(
        data_file=str(ROOT / "build/coverage/data"),
        data_suffix=True,
        config_file=False,
        include=["*/python/tunedrop/*"],
        messages=False,
    )
    coverage_of_process.set_option("run:core", "sysmon")
    coverage_of_process.set_option("run:disable_warnings", ["no-data-collected"])  # a function writes what it writes
    coverage_of_process.start()
    coverage_of_process.save()  # what it imports late is imported now: the function must not see these packages
    sys.path.remove(packages)

    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    wait = LambdaRuntimeClient.wait_next_invocation

    def save_and_wait(client: LambdaRuntimeClient) -> Any:
        coverage_of_process.save()
        return wait(client)

    LambdaRuntimeClient.wait_next_invocation = save_and_wait


measure()
