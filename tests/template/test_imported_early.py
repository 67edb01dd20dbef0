"""On one machine, functions' processes begin as forks of one that has imported the modules of `IMPORTED_EARLY`."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.stack import IMPORTED_EARLY, LAYERS


def file_of(module: str) -> Path | None:
    """The module's file in the layers."""
    bases = [layer / "python" / module.replace(".", "/") for layer in LAYERS.values()]
    files = [file for base in bases for file in (Path(f"{base}.py"), base / "__init__.py")]
    return next((file for file in files if file.exists()), None)


@pytest.mark.parametrize("module", IMPORTED_EARLY)
def test_each_module_that_is_imported_early_is_in_a_layer(module: str) -> None:
    assert file_of(module)
