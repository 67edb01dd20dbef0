"""Lets the layer's packages start sooner: python quick_packages.py FOLDER, which has the packages.

A few of their lines are changed, so that a module is imported, or a pattern compiled, when it is first used and not at
each start of a function. What a package does stays as it is.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

_DOCUMENTERS = """from botocore.docs.bcdoc.restdoc import DocumentStructure
from botocore.docs.method import document_model_driven_method
from botocore.docs.paginator import document_paginate_method
from botocore.docs.waiter import document_wait_method
"""

_TOOLS = """    pydantic_function_tool as pydantic_function_tool,
    pydantic_responses_function_tool as pydantic_responses_function_tool,
"""

_ASYNC = """from ._async import (
    AsyncConnectionInterface,
    AsyncConnectionPool,
    AsyncHTTP2Connection,
    AsyncHTTP11Connection,
    AsyncHTTPConnection,
    AsyncHTTPProxy,
    AsyncSOCKSProxy,
)
"""

_ANYIO = """try:
    from ._backends.anyio import AnyIOBackend
except ImportError:  # pragma: no cover

    class AnyIOBackend:  # type: ignore
        def __init__(self, *args, **kwargs):  # type: ignore
            msg = "Attempted to use 'httpcore2.AnyIOBackend' but 'anyio' is not installed."
            raise RuntimeError(msg)
"""

_OF_IPV6 = """class _OfIpv6:
    def __init__(self, pattern):
        self.pattern = pattern

    def match(self, text):
        return re.compile(self.pattern).match(text) if ":" in text else None"""

_HOST_PORT = """

class _HostPort:
    def fullmatch(self, text):
        pattern = _HOST_PORT_PAT if "[" in text else _HOST_PORT_PAT.replace("|" + _IPV6_ADDRZ_PAT, "")
        return re.compile(pattern, re.UNICODE | re.DOTALL).fullmatch(text)


_HOST_PORT_RE = _HostPort()
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
    # Only a resource of boto3 needs what makes one, and the documentation of resources with it; a client does not.
    "boto3/session.py": (
        ("\nfrom .resources.factory import ResourceFactory\n", "\n"),
        (
            """        self.resource_factory = ResourceFactory(
            self._session.get_component('event_emitter')
        )
        self._setup_loader()
        self._register_default_handlers()
""",
            """        self._setup_loader()
        self._register_default_handlers()

    @property
    def resource_factory(self):
        from .resources.factory import ResourceFactory

        return ResourceFactory(self._session.get_component('event_emitter'))
""",
        ),
    ),
    # What copies files to and from S3: a client of S3 imports it, and no other.
    "boto3/compat.py": (
        ("\nfrom s3transfer.manager import TransferConfig\n", ""),
        (
            "TRANSFER_CONFIG_SUPPORTS_CRT = hasattr(TransferConfig, 'UNSET_DEFAULT')",
            """def __getattr__(name):
    if name in ("TransferConfig", "TRANSFER_CONFIG_SUPPORTS_CRT"):
        from s3transfer.manager import TransferConfig

        if name == "TransferConfig":
            return TransferConfig
        return hasattr(TransferConfig, 'UNSET_DEFAULT')
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")""",
        ),
    ),
    # AWS's configuration files, of which a function has none.
    "botocore/configloader.py": (
        ("import configparser\n", ""),
        (
            "        cp = configparser.RawConfigParser()\n",
            "        import configparser\n\n        cp = configparser.RawConfigParser()\n",
        ),
    ),
    # The patterns of IPv6 take longest to compile, and each of its addresses has a colon, which no usual host has.
    "botocore/compat.py": (
        (
            """IPV6_ADDRZ_RE = re.compile("^" + IPV6_ADDRZ_PAT + "$")""",
            f"""{_OF_IPV6}


IPV6_ADDRZ_RE = _OfIpv6("^" + IPV6_ADDRZ_PAT + "$")""",
        ),
    ),
    "urllib3/util/url.py": (
        (
            """_IPV6_RE = re.compile("^" + _IPV6_PAT + "$")
_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT + "$")
_BRACELESS_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT[2:-2] + "$")
""",
            f"""

{_OF_IPV6}


_IPV6_RE = _OfIpv6("^" + _IPV6_PAT + "$")
_IPV6_ADDRZ_RE = _OfIpv6("^" + _IPV6_ADDRZ_PAT + "$")
_BRACELESS_IPV6_ADDRZ_RE = _OfIpv6("^" + _IPV6_ADDRZ_PAT[2:-2] + "$")
""",
        ),
        ("""_HOST_PORT_RE = re.compile(_HOST_PORT_PAT, re.UNICODE | re.DOTALL)\n""", _HOST_PORT),
    ),
    # The versions of packages that the layer has not, for HTTP/2 and for aiohttp, and the entry points of plugins.
    "urllib3/http2/__init__.py": (
        ("from importlib.metadata import version\n\n", ""),
        (
            """    h2_version = version("h2")\n""",
            """    from importlib.metadata import version\n\n    h2_version = version("h2")\n""",
        ),
    ),
    "openai/_vendor/httpx_aiohttp/transport.py": (
        ("from importlib import metadata\n", ""),
        (
            "import aiohttp\nimport httpx2 as httpx\n",
            "import aiohttp\nfrom importlib import metadata\nimport httpx2 as httpx\n",
        ),
    ),
    "pydantic/plugin/_loader.py": (
        ("import importlib.metadata as importlib_metadata\n", ""),
        (
            "            for dist in importlib_metadata.distributions():\n",
            "            import importlib.metadata as importlib_metadata\n\n"
            "            for dist in importlib_metadata.distributions():\n",
        ),
    ),
    # What may be in the dictionary that describes a type: type checkers read that, and at run time it is any dict.
    "pydantic_core/core_schema.py": (
        (
            "    from typing import TypedDict\n",
            """
    class TypedDict(dict):
        def __new__(cls, **members):
            return members

        def __init_subclass__(cls, total=True):
            pass

""",
        ),
    ),
    # Most functions write no metrics, and none makes segments of a trace.
    "aws_lambda_powertools/__init__.py": (
        ("from aws_lambda_powertools.metrics import Metrics, single_metric\n", ""),
        ("from aws_lambda_powertools.tracing import Tracer\n", ""),
        (
            "PACKAGE_PATH = Path(__file__).parent\n",
            """PACKAGE_PATH = Path(__file__).parent


def __getattr__(name):
    if name in ("Metrics", "single_metric"):
        from aws_lambda_powertools import metrics

        return getattr(metrics, name)
    if name == "Tracer":
        from aws_lambda_powertools.tracing import Tracer

        return Tracer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

""",
        ),
    ),
    # What asks without waiting: a client that waits does not use it.
    "httpcore2/__init__.py": (
        (_ASYNC, ""),
        (_ANYIO, ""),
        (
            '    if not __name.startswith(("__", "SOCKET_OPTION")):\n',
            '    if not __name.startswith(("__", "SOCKET_OPTION")) and __name in __locals:\n',
        ),
        (
            "\n__locals = locals()\n",
            """
def __getattr__(name):
    if name == "AnyIOBackend":
        from ._backends.anyio import AnyIOBackend as value
    elif name in __all__:
        from . import _async

        value = getattr(_async, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value.__module__ = "httpcore2"
    globals()[name] = value
    return value


__locals = locals()
""",
        ),
    ),
    # How a function is described to a model that calls it as a tool.
    "openai/__init__.py": (
        (_TOOLS, ""),
        (
            "        if name in _COMPUTER_EXPORTS:\n",
            """        if name in ("pydantic_function_tool", "pydantic_responses_function_tool"):
            from .lib import _tools

            return getattr(_tools, name)
        if name in _COMPUTER_EXPORTS:
""",
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
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")""",
        ),
    ),
}
"""What costs a start more than it must, by module: as it is, and as it becomes."""


VERSIONS: Mapping[str, str] = {"httpx2/__version__.py": "httpx2", "httpcore2/__init__.py": "httpcore2"}
"""Modules that look for their package's version among what is installed: its name, by module."""


BY_NAME = (
    "aws_lambda_powertools/event_handler/__init__.py",
    "aws_lambda_powertools/utilities/data_classes/__init__.py",
)
"""Packages that only name what their modules hold: for all of Lambda's events, of which the functions get a few."""

_LOOKS_UP = """

def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, there = _HOMES[name]
    value = globals()[name] = getattr(import_module(module, __name__), there)
    return value
"""


class Changed(Exception):
    """A module is not what it was when its change was written."""


def make_quick(packages: Path) -> None:
    """`packages`: the folder with the layer's packages. Raises Changed when a text is not there any more."""
    for name in dict.fromkeys((*QUICKER, *VERSIONS)):
        changes = QUICKER.get(name, ())
        if name in VERSIONS:
            changes = (*changes, *version_written(VERSIONS[name], packages))
        module = packages / name
        text = module.read_text()
        for slow, quick in changes:
            if text.count(slow) != 1:
                raise Changed(f"{name}: expected this once, look what has become of it: {slow.strip()}")
            text = text.replace(slow, quick)
        change(module, text)
    for name in BY_NAME:
        change(packages / name, by_name(name, (packages / name).read_text()))


def by_name(package: str, text: str) -> str:
    """The text of a package that imports a module only when somebody asks for a name of it (PEP 562).

    Raises Changed when `package` does more than to import names and to list them.
    """
    homes, kept = {}, []
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.ImportFrom) and statement.module is not None:
            module = "." * statement.level + statement.module
            homes |= {each.asname or each.name: (module, each.name) for each in statement.names}
        elif isinstance(statement, ast.Expr | ast.Assign) and isinstance(statement.value, ast.Constant | ast.List):
            kept.append(ast.get_source_segment(text, statement))
        else:
            raise Changed(f"{package}: expected only names of modules, got line {statement.lineno}")
    return "\n\n".join([*filter(None, kept), f"_HOMES = {homes!r}"]) + "\n" + _LOOKS_UP


def change(module: Path, text: str) -> None:
    """Give a module another text. Its licence (Apache 2.0, section 4) asks that a changed file says so."""
    module.unlink()  # it may be a link into a cache of packages
    module.write_text(f"# Changed by Tunedrop: see quick_packages.py.\n{text}")
    Path(importlib.util.cache_from_source(str(module))).unlink(missing_ok=True)


def version_written(package: str, packages: Path) -> tuple[tuple[str, str], ...]:
    """The changes that write into a module which version of the package this is."""
    (installed,) = packages.glob(f"{package}-*.dist-info")
    version = installed.name.removeprefix(f"{package}-").removesuffix(".dist-info")
    return ("from importlib.metadata import version\n", ""), (f'version("{package}")', f'"{version}"')


if __name__ == "__main__":
    make_quick(Path(sys.argv[1]))
