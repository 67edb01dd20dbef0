"""An embedded AWS for Tunedrop's own template, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded_aws import EmbeddedAws
from local.stack import RUNTIME


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with EmbeddedAws(runtime=RUNTIME, folder=tmp_path_factory.mktemp("aws")) as running:
        yield running
