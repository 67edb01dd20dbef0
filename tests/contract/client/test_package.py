"""The client as a package: its version, and that it stands alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import tunedrop
import tunedrop_client

FOLDER = Path(tunedrop_client.__file__).parent


def test_client_and_api_have_one_version() -> None:
    assert tunedrop_client.__version__ == tunedrop.__version__


def test_the_client_imports_botocore_and_nothing_else_that_must_be_installed() -> None:
    imported = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"botocore", "tunedrop_client"}
