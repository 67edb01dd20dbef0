"""The template in its two forms: as written, and as CloudFormation gets it."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    from checks import sam_template  # the process that hands the tests out reads this file, and needs no translator

    return sam_template.read()


@pytest.fixture(scope="session")
def translated() -> dict[str, Any]:
    from checks import sam_template

    return sam_template.translate(sam_template.read())


@pytest.fixture(scope="session")
def resources(translated: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = translated["Resources"]
    return found
