"""The licences of what is deployed: each package of requirements/layer.lock, as the package itself states it.

python -m checks.licences       prints docs/licences.md (`make licences` writes it)
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from typing import NamedTuple

from checks import sam_template

HEADING = """# Licences

These are the packages of the dependencies layer, from `requirements/layer.lock`. `make licences` writes this page from
what each package says about itself; its own licence file is in the layer beside it.
`layers/dependencies/lean_botocore.py` takes out of botocore the data of services that we do not call.
`layers/dependencies/quick_packages.py` changes a few lines of boto3, botocore, s3transfer, urllib3, Powertools,
pydantic, pydantic-core, openai, httpx2 and httpcore2. Each changed module says so.

| package | version | licence |
|---|---|---|"""

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)(.*?)\\?$", re.MULTILINE)


class Pinned(NamedTuple):
    """One package of a lock file."""

    name: str
    version: str


def pinned(lock: str = "layer") -> Iterator[Pinned]:
    """The packages of `requirements/<lock>.lock`, but for those of other platforms (emscripten, Windows)."""
    text = (sam_template.ROOT / f"requirements/{lock}.lock").read_text()
    for name, version, marker in _PIN.findall(text):
        if "emscripten" not in marker and "win32" not in marker:
            yield Pinned(name, version)


def licence(package: str) -> str:
    """What the installed package states: an SPDX expression, else its classifiers, else its own words.

    Raises importlib.metadata.PackageNotFoundError when it is not installed.
    """
    told = importlib.metadata.metadata(package)
    if "License-Expression" in told:
        return told["License-Expression"]
    classifiers = [each for each in told.get_all("Classifier") or [] if each.startswith("License :: ")]
    if classifiers:
        return ", ".join(sorted(each.rsplit(" :: ", 1)[1] for each in classifiers))
    return told["License"].split("\n")[0] if "License" in told else "not stated"


def page() -> str:
    """docs/licences.md."""
    rows = [f"| {each.name} | {each.version} | {licence(each.name)} |" for each in pinned()]
    return "\n".join([HEADING, *rows]) + "\n"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - its output
