"""docs/deploy.md tells every parameter with its default, and what stays when the stack goes."""

from __future__ import annotations

import re
from typing import Any

from checks import sam_template

PAGE = (sam_template.ROOT / "docs/deploy.md").read_text()


def test_every_parameter_is_told_with_its_default(template: dict[str, Any]) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| `?(.*?)`? \| .+ \| .+ \|$", PAGE, re.MULTILINE))
    expected = {name: str(each["Default"]) or "empty" for name, each in template["Parameters"].items()}
    assert {name: value for name, value in told.items() if name in expected} == expected


def test_all_that_is_retained_is_told(resources: dict[str, dict[str, Any]]) -> None:
    stays = PAGE.split("What stays, and why:")[1]
    retained = {
        name: each["Type"]
        for name, each in resources.items()
        if each.get("DeletionPolicy", "").startswith("Retain") and each["Type"] != "AWS::Lambda::Version"
    }
    words = {
        "AWS::S3::Bucket": "both buckets",
        "AWS::S3::BucketPolicy": "with their policies",
        "AWS::KMS::Key": "the KMS key",
        "AWS::Lambda::LayerVersion": "versions of the layers",
    }
    assert retained
    for name, kind in retained.items():
        assert words.get(kind, name) in stays, name
