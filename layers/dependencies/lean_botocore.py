"""Takes out of botocore what no function needs: python lean_botocore.py FOLDER, where FOLDER has `botocore/`.

Each client lists the services that botocore describes, and reads its own service's description, most of which is
documentation for people, and the endpoints of all services. Without the rest a start is some 40 ms of processor time
shorter, and the layer a fifth smaller.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVICES = frozenset(
    [
        "bedrock",
        "bedrock-runtime",
        "cloudwatch",
        "dynamodb",
        "lambda",
        "s3",
        "secretsmanager",
        "sns",
        "ssm",
        "stepfunctions",
    ]
)
"""The services that Tunedrop's functions make clients of, by botocore's names."""


def make_lean(data: Path) -> None:
    """`data`: the folder with botocore's data."""
    prefixes = set()
    for service in sorted(path for path in data.iterdir() if path.is_dir()):
        if service.name not in SERVICES:
            shutil.rmtree(service)
            continue
        for model in sorted(service.glob("*/service-2.json.gz")):
            description = json.loads(gzip.decompress(model.read_bytes()))
            prefixes.add(description["metadata"]["endpointPrefix"])
            replace(model, gzip.compress(compact(without_documentation(description)), mtime=0))
    endpoints = json.loads((data / "endpoints.json").read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = only(partition["services"], prefixes.__contains__)
    replace(data / "endpoints.json", compact(endpoints))


def without_documentation(description: Any) -> Any:
    """A service's description with empty texts as `documentation`; a member of that name is no text, and stays."""
    if isinstance(description, dict):
        return {
            name: "" if name == "documentation" and isinstance(each, str) else without_documentation(each)
            for name, each in description.items()
        }
    if isinstance(description, list):
        return [without_documentation(each) for each in description]
    return description


def only(whole: dict[str, Any], wanted: Callable[[str], bool]) -> dict[str, Any]:
    """Those entries of `whole` whose name is wanted."""
    return {name: each for name, each in whole.items() if wanted(name)}


def compact(document: Any) -> bytes:
    """Its shortest JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def replace(path: Path, content: bytes) -> None:
    """Put a new file in the place of `path`, which may be a link into a cache of packages."""
    path.unlink()
    path.write_bytes(content)


if __name__ == "__main__":
    make_lean(Path(sys.argv[1], "botocore/data"))
