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
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from checks import sam_template
from tests.in_prove import a_third_in_each_run

LEAN = sam_template.ROOT / "layers/dependencies/lean_botocore.py"
DATA = Path(botocore.__file__).parent / "data"
DROPPED = "ec2"
ONCE = {"authorization", "x-amz-date", "amz-sdk-invocation-id", "user-agent"}
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
    made = session.create_client(service, region_name="eu-west-1")
    made.meta.events.register("before-send", send)
    return made


class Sent(Exception):
    """A request was about to go out."""


def send(request: AWSPreparedRequest, **_: Any) -> None:
    """Tell all of a request but for what differs from one call to the next."""
    kept = {name: value for name, value in request.headers.items() if name.lower() not in ONCE}
    raise Sent(request.method, request.url, sorted(kept.items()), request.body)


def value(described: Shape, depth: int = 0) -> Any:
    """Some value of a shape: each required member, and in the first two depths every member."""
    if isinstance(described, StructureShape):
        names = described.required_members if depth > 1 or described.is_tagged_union else described.members
        chosen = list(described.members)[:1] if described.is_tagged_union else names
        return {name: value(described.members[name], depth + 1) for name in chosen}
    if isinstance(described, ListShape):
        return [value(described.member, depth + 1)] * max(1, described.metadata.get("min", 1))
    if isinstance(described, MapShape):
        return {"a": value(described.value, depth + 1)}
    if isinstance(described, StringShape):
        return described.enum[0] if described.enum else "a" * max(1, described.metadata.get("min", 1))
    whole = max(1, described.metadata.get("min", 1))
    return {"boolean": True, "timestamp": 0, "blob": b"a", "float": 0.5, "double": 0.5}.get(described.type_name, whole)


def request(client: Any, operation: str) -> Any:
    """What a call of the operation sends, or how botocore refuses it."""
    described = client.meta.service_model.operation_model(operation).input_shape
    try:
        client._make_api_call(operation, value(described) if described else {})
    except Exception as error:
        return type(error).__name__, [str(each) for each in error.args]
    raise AssertionError("nothing was sent")


def test_the_layer_keeps_the_services_that_the_functions_call_and_no_other(lean: Path) -> None:
    assert {path.name for path in lean.iterdir() if path.is_dir()} == called_services()


@pytest.mark.parametrize("service", a_third_in_each_run(sorted(called_services())))
def test_a_client_of_the_layer_sends_what_botocore_s_own_sends(service: str, lean: Path) -> None:
    ours, theirs = client(service, lean), client(service, DATA)
    operations = theirs.meta.service_model.operation_names
    assert ours.meta.service_model.operation_names == operations
    sent = [request(theirs, name) for name in operations[:: len(operations) // 20 + 1]]
    assert "Sent" in {kind for kind, _ in sent}
    assert [request(ours, name) for name in operations[:: len(operations) // 20 + 1]] == sent
