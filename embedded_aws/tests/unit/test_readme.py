"""What the README says of the resources is what the deployer knows."""

from __future__ import annotations

import re
from pathlib import Path

from embedded_aws.deployer.resources import TYPES

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_names_every_type_of_resource_and_no_other() -> None:
    named = re.findall(r"\b[A-Z]\w+::[A-Z]\w+", README.read_text().partition("It creates these types")[2])
    assert sorted(f"AWS::{name}" for name in named) == sorted(TYPES)
