"""Takes out of botocore what no function needs: python lean_botocore.py FOLDER, where FOLDER has `botocore/`.

Each client lists the services that botocore describes, and reads its own service's description, most of which is
documentation for people, and the endpoints of all services. Without the rest a start is some 40 ms of processor time
shorter, and the layer a fifth smaller. Some imports are moved to where they are first used, and one line of code is
changed; that spares each start more. What is left is as botocore has it.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import indent
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


_DOCUMENTERS = """from botocore.docs.bcdoc.restdoc import DocumentStructure
from botocore.docs.method import document_model_driven_method
from botocore.docs.paginator import document_paginate_method
from botocore.docs.waiter import document_wait_method
"""

QUICKER: Mapping[str, tuple[tuple[str, str], ...]] = {
    # Dictionaries keep their order since Python 3.7, and are read twice as fast.
    "botocore/loaders.py": (("json.loads(payload, object_pairs_hook=OrderedDict)", "json.loads(payload)"),),
    # Who writes the pages of botocore's documentation; no function asks for them.
    "botocore/docs/__init__.py": (
        ("\nfrom botocore.docs.service import ServiceDocumenter\n", ""),
        (
            "    # Create the root directory where all service docs live.\n",
            "    from botocore.docs.service import ServiceDocumenter\n\n"
            "    # Create the root directory where all service docs live.\n",
        ),
    ),
    # Who writes a method's docstring, when somebody reads it.
    "botocore/docs/docstring.py": (
        (_DOCUMENTERS, ""),
        (
            "    def _create_docstring(self):\n",
            "    def _create_docstring(self):\n"
            "        global DocumentStructure, document_model_driven_method\n"
            "        global document_paginate_method, document_wait_method\n"
            f"{indent(_DOCUMENTERS, ' ' * 8)}\n",
        ),
    ),
    # Wanted by a downloader in processes of its own, which boto3 never uses.
    "s3transfer/compat.py": (
        (
            "from multiprocessing.managers import BaseManager  # noqa: F401,E402",
            """def __getattr__(name):
    if name == "BaseManager":
        from multiprocessing.managers import BaseManager

        return BaseManager
    raise AttributeError(name)""",
        ),
    ),
}
"""What costs a start more than it must, by module: as it is, and as it becomes."""


class Changed(Exception):
    """A module is not what it was when its change was written."""


def make_quick(packages: Path) -> None:
    """`packages`: the folder with botocore and s3transfer. Raises Changed when a text is not there any more."""
    for name, changes in QUICKER.items():
        module = packages / name
        text = module.read_text()
        for slow, quick in changes:
            if text.count(slow) != 1:
                raise Changed(f"{name}: expected this once, look what has become of it: {slow.strip()}")
            text = text.replace(slow, quick)
        # Its licence (Apache 2.0, section 4) asks that a changed file says so.
        replace(module, f"# Changed by Tunedrop: see QUICKER in lean_botocore.py.\n{text}".encode())
        Path(importlib.util.cache_from_source(str(module))).unlink(missing_ok=True)


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
    make_quick(Path(sys.argv[1]))
