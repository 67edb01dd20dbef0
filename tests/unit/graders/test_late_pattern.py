"""Patterns that are compiled at their first use: each is a pattern, and each can be compiled."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import tunedrop.graders
from tunedrop.graders.late_pattern import late


def patterns_of(value: Any) -> Iterator[Any]:
    for each in value.values() if isinstance(value, dict) else [value]:
        if type(each) is type(late("")):
            yield each


def every_pattern() -> list[tuple[str, Any]]:
    found = []
    for module in pkgutil.walk_packages(tunedrop.graders.__path__, "tunedrop.graders."):
        if ".code" in module.name:
            continue  # what is not imported here runs in the sandbox
        for name, value in vars(importlib.import_module(module.name)).items():
            found += [(f"{module.name}.{name}", pattern) for pattern in patterns_of(value)]
    return found


def test_every_pattern_of_the_graders_can_be_compiled() -> None:
    found = every_pattern()
    assert len(found) > 100
    for name, pattern in found:
        assert isinstance(pattern.flags, int), name


def test_it_does_what_the_compiled_pattern_does() -> None:
    text = "one 1, two 22"
    for method in ("match", "fullmatch", "search", "findall", "split"):
        ours, theirs = (getattr(made, method)(text) for made in (late(r"[a-z]+ \d"), re.compile(r"[a-z]+ \d")))
        assert str(ours) == str(theirs)
    assert late("ONE", re.IGNORECASE).sub("1", text) == "1 1, two 22"
    assert late("ONE", re.IGNORECASE).flags & re.IGNORECASE


def test_a_pattern_that_is_none_is_told_at_its_first_use() -> None:
    pattern = late("(")
    with pytest.raises(re.error):
        pattern.match("")


def test_it_has_no_other_attributes() -> None:
    assert not hasattr(late("a"), "grep")
