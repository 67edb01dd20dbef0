"""Which parameters of a test are for `make prove` alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

in_prove = partial(pytest.param, marks=pytest.mark.prove)
"""`pytest.param` of `make prove`."""


def a_third_in_each_run(parameters: Iterable[Any]) -> list[Any]:
    """Every third of many parameters that are alike is for `make test`, too; the others are for `make prove`.

    A tuple has the values of several arguments.
    """
    several = (each if isinstance(each, tuple) else (each,) for each in parameters)
    return [pytest.param(*each) if at % 3 == 0 else in_prove(*each) for at, each in enumerate(several)]
