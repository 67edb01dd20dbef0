"""Each change in embedded_aws/moto_patches has a canary here: moto without it, as it was when the change was made.

A canary that fails is good news: moto has learned what the change was for. Take the change out, and its canary.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from embedded_aws import moto_patches


def test_every_change_has_its_canary() -> None:
    modules = [
        importlib.import_module(f"{moto_patches.__name__}.{each.name}")
        for each in pkgutil.iter_modules(moto_patches.__path__)
    ]
    changes = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if "replace" in inspect.signature(function).parameters
    }
    canaries = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert changes == set(re.findall(r"^@canary_of\((\S+)\)$", canaries, re.MULTILINE))
