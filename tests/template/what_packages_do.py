"""What those packages of a folder do that the build changes for the layer: python what_packages_do.py FOLDER.

Prints one JSON object: the modules that are loaded when a function has started, and what the changed modules answer.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

HOSTS = (
    "[::1]",
    "[::1]:8080",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]:443",
    "[::ffff:1.2.3.4]",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7:8:9]",
    "[::1",
    "::1",
    "fe80::1%eth0",
    "1.2.3.4",
    "1.2.3.4:80",
    "bedrock.us-west-2.amazonaws.com",
    "host:0080",
    "host:65536",
    "host:",
    "host:port",
    "a b",
    "%41.com",
    "[]",
    "[x]",
    "",
)
INI = {"whole": "[profile a]\nregion = eu-west-1\ns3 =\n  use_dualstack = true\n", "broken": "region = eu-west-1\n"}
BY_NAME = ("aws_lambda_powertools.event_handler", "aws_lambda_powertools.utilities.data_classes", "httpcore2")
NAMES = {
    "aws_lambda_powertools": ("Logger", "Metrics", "single_metric", "Tracer", "Unknown", "__version__"),
    "boto3.compat": ("TransferConfig", "TRANSFER_CONFIG_SUPPORTS_CRT", "Unknown"),
    "httpx2": ("__version__",),
    "openai": ("pydantic_function_tool", "pydantic_responses_function_tool", "AssistantEventHandler", "Unknown"),
    "s3transfer.compat": ("BaseManager",),
}


def answer(ask: Callable[..., Any], *words: Any, **options: Any) -> str:
    """What it returns, or raises, as text."""
    try:
        return re.sub(" at 0x[0-9a-f]+", "", repr(ask(*words, **options)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def start() -> list[str]:
    """What is loaded once a function has its clients."""
    for package in ("aws_lambda_powertools", "pydantic", "tunedrop.openai_sdk", "httpcore2"):
        import_module(package)
    import_module("boto3").client("dynamodb", region_name="eu-west-1")
    return sorted(sys.modules)


def hosts() -> dict[str, str]:
    """How URLs with each host are parsed, and which hosts are addresses."""
    urls, addresses, utils = map(import_module, ("urllib3.util", "urllib3.util.ssl_", "botocore.utils"))
    told = {}
    for host in HOSTS:
        for scheme in ("http", "https", "s3"):
            url = f"{scheme}://{host}/a?b=c#d"
            told[url] = answer(urls.parse_url, url)
        told[f"address {host}"] = answer(addresses.is_ipaddress, host.strip("[]"))
        told[f"endpoint {host}"] = answer(utils.is_valid_ipv6_endpoint_url, f"https://{host}")
    return told


def configurations() -> dict[str, str]:
    """What botocore reads in AWS's configuration files."""
    told = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in INI.items():
            file = Path(folder, name)
            file.write_text(text)
            told[name] = answer(import_module("botocore.configloader").load_config, str(file)).replace(folder, "")
    return told


def names() -> dict[str, str]:
    """What each name is of the packages that look names up."""
    asked = {**NAMES, **{package: (*import_module(package).__all__, "Unknown") for package in BY_NAME}}
    return {
        f"{package}.{name}": answer(getattr, import_module(package), name)
        for package in asked
        for name in asked[package]
    }


def models() -> dict[str, str]:
    """What pydantic makes of a model, and openai of one as a tool."""
    pydantic = import_module("pydantic")
    model = pydantic.create_model("Model", number=(int, 1), names=(tuple[str, ...], ()))
    return {
        "schema": answer(model.model_json_schema),
        "right": answer(model, number=2, names=("a",)),
        "wrong": answer(model.model_validate, {"number": "x", "names": 3}),
        "described": answer(import_module("pydantic_core.core_schema").CoreConfig, title="a", strict=True),
        "plugins": answer(lambda: list(import_module("pydantic.plugin._loader").get_plugins())),
        "tool": answer(import_module("openai").pydantic_function_tool, model),
    }


def services() -> dict[str, str]:
    """What boto3 and urllib3 make that a function does not use, and what botocore reads of a service."""
    described = import_module("botocore.loaders").Loader().load_service_model("s3", "service-2")
    return {
        "resource": answer(lambda: import_module("boto3").resource("s3", region_name="eu-west-1").Bucket("measured")),
        "HTTP/2": answer(import_module("urllib3.http2").inject_into_urllib3),
        "operations": repr(list(described["operations"])),
    }


if __name__ == "__main__":
    sys.path[:0] = [sys.argv[1], str(Path(__file__).parents[2] / "layers/tunedrop/python")]
    told = {"started": start()}
    parts = {"hosts": hosts, "configurations": configurations, "names": names, "models": models, "services": services}
    sys.stdout.write(json.dumps({**told, **{name: part() for name, part in parts.items()}}))
