"""What the README tells a reader to type does what it says, and what it lists is what there is."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from local.command.places import UP_ENVIRONMENT
from tests.e2e.command_runs import REPOSITORY, alive, descendants, tunedrop_up
from tunedrop.recipe import Recipe

README = (REPOSITORY / "README.md").read_text()

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _block(heading: str) -> str:
    """The first block of code below a heading."""
    found = _BLOCK.search(README, README.index(f"\n### {heading}\n"))
    assert found is not None
    return found[2]


def _typed(block: str) -> str:
    """What a shell that knows nothing but the block prints."""
    done = subprocess.run(  # the reader's own bash, wherever it is
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", block],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_the_openai_sdk_and_the_aws_cli_work_as_written_until_ctrl_c_ends_everything() -> None:
    """One `tunedrop up` for all of them, as a reader would have it."""
    with tunedrop_up() as (process, environment):
        by_curl = _typed(_block("curl"))
        assert '"Step 67/67: training metrics"' in by_curl or "successfully completed" in by_curl
        assert by_curl.count('"object":"fine_tuning.job.checkpoint"') == 4
        assert '"object":"chat.completion"' in by_curl
        assert '"object":"chat.completion.chunk"' in by_curl
        assert by_curl.rstrip().endswith("data: [DONE]")

        by_sdk = _typed(_block("The openai SDK")).splitlines()
        assert by_sdk[0].startswith("succeeded ")
        assert [line.split()[0] for line in by_sdk if line.split()[:1] and line.split()[0].isdigit()] != []
        assert "successfully completed" in "\n".join(by_sdk)

        if shutil.which("aws"):
            by_cli = _typed(_block("The AWS CLI and SDKs"))
            assert environment["TUNEDROP_PIPELINE_ARN"] in by_cli

        started = descendants(process.pid)
        assert started
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 0, told
    assert not [pid for pid in started if alive(pid)]
    assert not UP_ENVIRONMENT.exists()


def _fields(model: type[BaseModel], path: str = "") -> dict[str, Any]:
    """Every field of a recipe by its path, with its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = [
            each
            for each in (field.annotation, *getattr(field.annotation, "__args__", ()))
            if isinstance(each, type) and issubclass(each, BaseModel)
        ]
        if inner:
            found |= _fields(inner[0], f"{path}{name}.")
        else:
            found[path + name] = None if field.is_required() else field.get_default(call_default_factory=True)
    return found


def test_the_table_of_the_recipe_has_every_field_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+?) \|", README, re.MULTILINE))
    fields = _fields(Recipe)
    assert set(listed) == set(fields)
    words = {None: "null", "": "`openai.gpt-oss-20b`"}
    for name, default in fields.items():
        if name == "promotion.parameter":  # has none: a promotion is asked for by naming its parameter
            continue
        written = words.get(default) if isinstance(default, (str, type(None))) else None
        assert (written or str(default)) in listed[name], name


def test_the_recipe_that_is_shown_is_a_valid_one() -> None:
    from tunedrop.recipe import parse, resolve

    shown = next(found[2] for found in _BLOCK.finditer(README) if found[1] == "yaml")
    recipe = resolve(parse(shown.encode(), "recipe.yaml"), "us-west-2")
    assert recipe.grader.kind == "json"


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:events|local|tests|layers|functions)/[\w/.]*)`", README)))
)
def test_every_path_that_is_named_is_there(path: str) -> None:
    assert (Path(REPOSITORY) / path).exists()


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) <= targets
