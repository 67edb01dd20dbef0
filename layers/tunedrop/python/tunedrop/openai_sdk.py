"""The `openai` SDK. What asks with it imports it from here: `from tunedrop.openai_sdk import openai`.

`import openai` alone loads the SDK's thousand types of all its APIs. That takes as long as all else that a function
starts with, and Tunedrop uses a dozen of them. The packages below `openai.types` only name what their modules hold, and
so does `openai.lib`, for tools and parsed answers. So a module of these packages is loaded here when someone asks for a
name of it, as Python's documentation of module attributes (PEP 562) shows.

The SDK's own modules run unchanged. A package that does more than name things is loaded as usual.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_TYPES = "openai.types"
_BY_NAME = frozenset((_TYPES, "openai.lib", "openai.lib._parsing"))


class _Finder(MetaPathFinder):
    """Finds these packages as Python does, and lets `_ByName` load them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _BY_NAME and not fullname.startswith(f"{_TYPES}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.submodule_search_locations is not None and isinstance(spec.loader, InspectLoader):
            spec.loader = _ByName(spec.loader)
        return spec


class _ByName(InspectLoader):
    """Loads a package so that each of its names is looked up when someone asks for it."""

    def __init__(self, loader: InspectLoader) -> None:
        self._loader = loader

    def get_source(self, fullname: str) -> str | None:
        return self._loader.get_source(fullname)

    def exec_module(self, module: ModuleType) -> None:
        package = module.__name__
        homes = _homes(self.get_source(package))
        if homes is None:
            self._loader.exec_module(module)
            return

        def look_up(name: str) -> Any:
            home, name_there = homes.get(name, (name, None))
            try:
                found = importlib.import_module(f"{package}.{home}")
            except ModuleNotFoundError:
                raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
            value = found if name_there is None else getattr(found, name_there)
            setattr(module, name, value)
            return value

        module.__dict__["__getattr__"] = look_up


def _homes(source: str | None) -> dict[str, tuple[str, str]] | None:
    """For each name of a package: the module that has it, and its name there.

    None where the package does anything but import names from its modules.
    """
    homes: dict[str, tuple[str, str]] = {}
    for statement in ast.parse(source or "pass").body:
        if not isinstance(statement, ast.ImportFrom) or statement.module is None:
            return None
        if statement.module != "__future__":
            if statement.level != 1:
                return None
            homes |= {each.asname or each.name: (statement.module, each.name) for each in statement.names}
    return homes


if "openai" not in sys.modules:
    sys.meta_path.insert(0, _Finder())

import openai as openai  # noqa: E402, PLC0414 - once the finder is there; others import the name from here


def bedrock_signer(region: str, base_url: str) -> Any:
    """The `provider` of a client whose requests are signed with the credentials of the environment (SigV4).

    `api_key=None` keeps the SDK from a bearer token that the environment may have (`AWS_BEARER_TOKEN_BEDROCK`).
    """
    from openai.providers.bedrock import bedrock

    return bedrock(endpoint="mantle", region=region, base_url=base_url, api_key=None)
