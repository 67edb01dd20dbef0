"""What a function's start leaves to Python's search for garbage."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = """
import gc
import tunedrop.resources
before = gc.isenabled()
tunedrop.resources.Resources()
print(before, gc.isenabled(), gc.get_freeze_count() > 1000)
"""


@pytest.mark.parametrize(
    ("function", "told"), [({"AWS_LAMBDA_FUNCTION_NAME": "one"}, "False True True"), ({}, "True True False")]
)
def test_a_function_looks_for_garbage_once_it_has_started_and_a_command_always(
    function: dict[str, str], told: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_FUNCTION_NAME"}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**environment, **function}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == told
