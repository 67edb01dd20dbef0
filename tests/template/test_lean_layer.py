"""The dependencies layer has botocore's data of the services that the functions call, and no other service's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore
import botocore.loaders
import botocore.model
import botocore.session
import pytest

from checks import sam_template

LEAN = sam_template.ROOT / "layers/dependencies/lean_botocore.py"
DATA = Path(botocore.__file__).parent / "data"
DROPPED = "ec2"
CLIENT = re.compile(r"\.(?:client|resource)\(\s*\"([a-z0-9-]+)\"")


def called_services() -> set[str]:
    """The services that the functions and their package make clients of."""
    folders = (sam_template.ROOT / "functions", sam_template.ROOT / "layers/tunedrop")
    modules = (path for folder in folders for path in folder.rglob("*.py"))
    return {name for module in modules for name in CLIENT.findall(module.read_text())}


@pytest.fixture(scope="module")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Botocore's data as the layer has it."""
    packages = tmp_path_factory.mktemp("packages")
    data = packages / "botocore/data"
    data.mkdir(parents=True)
    for path in DATA.glob("*.json"):
        shutil.copy(path, data)
    for service in (*called_services(), DROPPED):
        shutil.copytree(DATA / service, data / service)
    subprocess.run([sys.executable, str(LEAN), str(packages)], check=True)
    return data


def client(service: str, data: Path) -> Any:
    session = botocore.session.Session()
    session.set_credentials("measured", "measured")
    loader = botocore.loaders.Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session.create_client(service, region_name="eu-west-1")


def shape(described: botocore.model.Shape | None, seen: tuple[str, ...] = ()) -> Any:
    """All of a shape that a call is written and read by."""
    if described is None or described.name in seen:
        return described and described.name
    inner = (*seen, described.name)
    about = (described.name, described.type_name, sorted(described.serialization.items()), repr(described.metadata))
    if isinstance(described, botocore.model.StructureShape):
        return about, {name: shape(member, inner) for name, member in described.members.items()}
    if isinstance(described, botocore.model.ListShape):
        return about, shape(described.member, inner)
    if isinstance(described, botocore.model.MapShape):
        return about, shape(described.key, inner), shape(described.value, inner)
    return about


def test_the_layer_keeps_the_services_that_the_functions_call_and_no_other(lean: Path) -> None:
    assert {path.name for path in lean.iterdir() if path.is_dir()} == called_services()


@pytest.mark.parametrize("service", sorted(called_services()))
def test_a_client_of_the_layer_makes_the_same_calls_as_botocore_s_own(service: str, lean: Path) -> None:
    ours, theirs = client(service, lean), client(service, DATA)
    assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    names = theirs.meta.service_model.operation_names
    assert ours.meta.service_model.operation_names == names
    for name in names if len(names) < 60 else names[::5]:
        mine, botocores = (each.meta.service_model.operation_model(name) for each in (ours, theirs))
        assert shape(mine.input_shape) == shape(botocores.input_shape)
        assert shape(mine.output_shape) == shape(botocores.output_shape)
