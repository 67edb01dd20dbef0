"""Some modules of the dependencies layer start sooner, and do what they did."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from checks import sam_template

QUICK = sam_template.ROOT / "layers/dependencies/quick_packages.py"
WORDS = runpy.run_path(str(QUICK))
CHANGED = (*WORDS["QUICKER"], *WORDS["VERSIONS"], *WORDS["BY_NAME"])
LAYER = sam_template.ROOT / "build/local/layers/dependencies/python"
"""The layer of this machine: as on Lambda, but for this machine's processor and Python."""
UNCHANGED = Path(botocore.__file__).parents[1]
"""The packages as pip installs them."""


def test_the_changed_modules_say_so() -> None:
    for name in CHANGED:
        assert (LAYER / name).read_text().startswith("# Changed by Tunedrop"), name
        assert not (UNCHANGED / name).read_text().startswith("# Changed by Tunedrop"), name


DOES = sam_template.ROOT / "tests/template/what_packages_do.py"
LOADED_LATER = frozenset(
    [
        "aws_lambda_powertools.tracing",
        "boto3.resources.factory",
        "botocore.docs.service",
        "configparser",
        "httpcore2._async",
        "importlib.metadata",
        "multiprocessing.managers",
        "openai.lib._tools",
        "s3transfer.manager",
    ]
)


@pytest.mark.prove
def test_the_changed_modules_do_what_they_did() -> None:
    theirs, ours = (
        json.loads(
            subprocess.run(
                [sys.executable, "-S", str(DOES), str(packages)],
                check=True,
                capture_output=True,
                text=True,
                env={"PYDANTIC_DISABLE_PLUGINS": "__all__"},
            ).stdout
        )
        for packages in (UNCHANGED, LAYER)
    )
    assert set(theirs.pop("started")) >= LOADED_LATER
    assert LOADED_LATER.isdisjoint(ours.pop("started"))
    assert ours == theirs


READS_A_DOCSTRING = """
import sys
sys.path.insert(0, sys.argv[1])
import botocore.docs, botocore.session
session = botocore.session.Session()
client = session.create_client("sns", region_name="eu-west-1")
writers = [name for name in sys.modules if name.startswith(("botocore.docs.method", "botocore.docs.service"))]
print(botocore.docs.__file__.startswith(sys.argv[1]), writers)
print(str(client.publish.__doc__))
"""


@pytest.mark.prove
def test_the_layer_writes_documentation_when_it_is_read_and_not_before(tmp_path: Path) -> None:
    ours = tmp_path / "packages"
    shutil.copytree(UNCHANGED / "botocore", ours / "botocore", ignore=shutil.ignore_patterns("data", "__pycache__"))
    (ours / "botocore/data").symlink_to(UNCHANGED / "botocore/data")  # the layer's has no texts
    for name in CHANGED:
        if name.startswith("botocore/docs"):
            shutil.copy(LAYER / name, ours / name)
    read = [
        subprocess.run(
            [sys.executable, "-c", READS_A_DOCSTRING, str(each)], check=True, capture_output=True, text=True
        ).stdout.partition("\n")
        for each in (ours, UNCHANGED)
    ]
    assert read[0][0] == "True []"
    assert "botocore.docs.method" in read[1][0]
    assert read[0][2] == read[1][2]
    assert "client.publish(" in read[0][2]


def test_a_line_that_is_not_there_any_more_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore/loaders.py").write_text("return json.loads(payload)\n")
    built = subprocess.run([sys.executable, str(QUICK), str(tmp_path)], check=False, capture_output=True, text=True)
    assert built.returncode != 0
    assert "Changed: botocore/loaders.py: expected this once" in built.stderr


@pytest.mark.parametrize("more", ["import os\n", "B = call()\n", "def look(): ...\n", "from . import b\n"])
def test_a_package_that_does_more_than_to_name_things_stops_the_build(more: str) -> None:
    text = '"""Names."""\n\nfrom .a import A\n\n__all__ = ["A"]\n'
    assert "('.a', 'A')" in WORDS["by_name"]("names", text)
    with pytest.raises(WORDS["Changed"], match="names: expected only names of modules, got line 6"):
        WORDS["by_name"]("names", text + more)
