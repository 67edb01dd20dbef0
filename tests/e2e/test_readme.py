"""What README and docs/one-machine.md tell a reader to type does what they say; what they list is what there is."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from embedded_aws.tests.processes import alive
from local.command.places import UP_ENVIRONMENT
from tests.e2e.command_runs import REPOSITORY, descendants, stop, tunedrop_up
from tunedrop.catalog import default_for_region
from tunedrop.recipe import Recipe
from tunedrop.recipe_resolution import resolve
from tunedrop.recipe_text import parse

README = (REPOSITORY / "README.md").read_text()
ONE_MACHINE = (REPOSITORY / "docs/one-machine.md").read_text()
TEMPLATE = (REPOSITORY / "template.yaml").read_text()

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _block(heading: str) -> str:
    """The first block of code below a heading."""
    found = _BLOCK.search(ONE_MACHINE, ONE_MACHINE.index(f"# {heading}\n"))
    assert found is not None
    return found[2]


def _typed(block: str, environment: Path = UP_ENVIRONMENT) -> str:
    """What a shell that knows nothing but the block prints. `environment`: the file that an `up` has written."""
    block = block.replace(str(UP_ENVIRONMENT.relative_to(REPOSITORY)), str(environment))
    done = subprocess.run(  # the reader's own bash, wherever it is
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", block],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.prove
def test_the_written_commands_work_until_ctrl_c_ends_everything(tmp_path: Path) -> None:
    """One `tunedrop up` for all of them, as a reader would have it. Other tests' commands must not find it."""
    file = tmp_path / "environment"
    with tunedrop_up("--environment", str(file)) as (process, environment):
        by_curl = _typed(_block("curl"), file)
        assert '"Step 67/67: training metrics"' in by_curl or "successfully completed" in by_curl
        assert by_curl.count('"object":"fine_tuning.job.checkpoint"') == 4
        assert '"object":"chat.completion"' in by_curl
        assert '"object":"chat.completion.chunk"' in by_curl
        assert by_curl.rstrip().endswith("data: [DONE]")

        by_sdk = _typed(_block("The openai SDK"), file).splitlines()
        assert by_sdk[0].startswith("succeeded ")
        assert [line.split()[0] for line in by_sdk if line.split()[:1] and line.split()[0].isdigit()] != []
        assert "successfully completed" in "\n".join(by_sdk)

        if shutil.which("aws"):
            by_cli = _typed(_block("The AWS CLI and SDKs"), file)
            assert environment["TUNEDROP_PIPELINE_ARN"] in by_cli

        runs = json.loads(_typed(_block("Tunedrop's own API"), file))["runs"]
        # What the block before has dropped, unless the listing was quicker than its event.
        assert {run["name"] for run in runs} <= {"sums"}

        started = descendants(process.pid)
        assert started
        stop(process, signal.SIGINT)
        assert process.returncode == 0
    assert not [pid for pid in started if alive(pid)]
    assert not file.exists()


def test_a_file_that_is_checked_first_has_the_findings_that_are_shown() -> None:
    section = ONE_MACHINE[ONE_MACHINE.index("\n## Check a file first\n") :]
    shown = json.loads(next(found[2] for found in _BLOCK.finditer(section) if found[1] == "json"))
    (REPOSITORY / "build").mkdir(exist_ok=True)
    told = json.loads(_typed(f"{_block('Check a file first').rstrip()} || test $? = 2"))
    assert {name: told[name] for name in shown} == shown
    assert shown["valid"] is False


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


def _listed(page: str) -> dict[str, str]:
    """The fields in a page's table, with what it says of their default."""
    return dict(re.findall(r"^\| `([a-z_.]+)` \| `(.*?)`.* \|", page, re.MULTILINE))


def _written(default: object) -> str:
    """A default as a recipe would have it."""
    return json.dumps(list(default) if isinstance(default, tuple) else default).removeprefix('"').removesuffix('"')


def test_the_page_of_the_recipe_has_every_field_with_its_default() -> None:
    listed = _listed((REPOSITORY / "docs/recipe.md").read_text())
    fields = _fields(Recipe)
    assert set(listed) == set(fields)
    for name, default in fields.items():
        # An empty model means the first one of the Region's; the page shows that of us-west-2.
        expected = default_for_region("us-west-2").id if name == "model" else _written(default)
        assert listed[name].removeprefix('"').removesuffix('"') == expected, name


def test_what_the_readme_says_of_the_recipe_is_what_its_page_says() -> None:
    listed = _listed(README)
    assert len(listed) > 5
    assert listed.items() <= _listed((REPOSITORY / "docs/recipe.md").read_text()).items()


def test_the_recipe_that_is_shown_is_a_valid_one() -> None:
    shown = next(found[2] for found in _BLOCK.finditer(README) if found[1] == "yaml")
    recipe = resolve(parse(shown.encode(), "recipe.yaml"), "us-west-2")
    assert recipe.grader.kind == "json"


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:events|local|tests|layers|functions)/[\w/.]*)`", README + ONE_MACHINE)))
)
def test_every_path_that_is_named_is_there(path: str) -> None:
    assert (Path(REPOSITORY) / path).exists()


def test_the_readme_is_read_on_three_screens() -> None:
    assert len(README.splitlines()) <= 150


PAGES = [
    *(f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *(f"docs/{path.name}" for path in sorted((REPOSITORY / "docs").glob("*.md"))),
]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_page_leads_somewhere(page: str) -> None:
    text = _BLOCK.sub("", (REPOSITORY / page).read_text())
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)", text):
        target = (REPOSITORY / page).parent / path if path else REPOSITORY / page
        assert target.exists(), path
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, (
            anchor
        )


def test_the_cost_of_the_alarms_is_that_of_the_metrics_they_watch() -> None:
    """CloudWatch bills an alarm for each metric that it reads: one, or those of its expression."""
    alarms = re.findall(r"^    Type: AWS::CloudWatch::Alarm\n(.*?)(?=^  \w)", TEMPLATE, re.MULTILINE | re.DOTALL)
    watched = sum(max(1, alarm.count("MetricStat:")) for alarm in alarms)
    deploy = re.sub(r"<!--.*?-->", "", (REPOSITORY / "docs/deploy.md").read_text())
    assert f"its alarms watch {watched} metrics at $0.10 each" in deploy


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README + ONE_MACHINE, re.MULTILINE)) <= targets
