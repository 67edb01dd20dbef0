"""The `openai` SDK as Tunedrop imports it: the same SDK, without the types that nobody asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

LOADED = """
import json, sys
from tunedrop.openai_sdk import openai
client = openai.OpenAI(base_url="http://127.0.0.1:1/v1", api_key="none")
client.files, client.fine_tuning.jobs
for_jobs = list(sys.modules)
client.chat.completions
print(json.dumps([for_jobs, list(sys.modules)]))
"""

ALL_NAMES = """
import importlib, json, pkgutil, sys
import openai.types
packages = ["openai.types"] + [
    found.name for found in pkgutil.walk_packages(openai.types.__path__, "openai.types.") if found.ispkg
]
told = {}
for package in packages:
    module = importlib.import_module(package)
    names = json.loads(sys.argv[1])[package] if len(sys.argv) > 1 else [
        name for name in vars(module)
        if not name.startswith("_") and name != "annotations" and type(getattr(module, name)).__name__ != "module"
    ]
    told[package] = {name: repr(getattr(module, name)) for name in names}
print(json.dumps(told))
"""


def python(program: str, *words: str) -> Any:
    """What a new process of this environment prints, from JSON."""
    ended = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def test_a_client_loads_no_types_of_the_apis_that_nobody_asks() -> None:
    for_jobs, loaded = python(LOADED)
    assert "openai.lib._parsing._completions" in set(loaded) - set(for_jobs)
    assert "openai.resources.fine_tuning.jobs.jobs" in loaded
    assert [name for name in loaded if name.startswith(("openai.types.realtime.", "openai.types.beta."))] == []
    assert sum(name.startswith("openai.types.responses.") for name in loaded) < 20


def test_a_name_that_the_types_do_not_have_is_an_attribute_error() -> None:
    program = (
        "from tunedrop.openai_sdk import openai\nimport json\n"
        "print(json.dumps([hasattr(openai.types, name) for name in ('Batch', 'file_list_params', 'Unknown')]))"
    )
    assert python(program) == [True, True, False]


@pytest.mark.prove
def test_every_name_of_the_types_is_what_the_sdk_itself_gives() -> None:
    themselves = python(ALL_NAMES)
    names = {package: list(told) for package, told in themselves.items()}
    assert sum(map(len, names.values())) > 500
    assert python(f"import tunedrop.openai_sdk\n{ALL_NAMES}", json.dumps(names)) == themselves
