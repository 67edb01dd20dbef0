"""A template's text: CloudFormation's short forms written out, and what is no YAML named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_aws.deployer import template
from embedded_aws.deployer.errors import TemplateInvalid


def test_short_forms_are_written_out(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources:\n  A: {Name: !Sub '${B}-x', Of: !GetAtt B.Arn, In: !If [C, !Ref B, 1]}\n")
    assert template.read(file)["Resources"]["A"] == {
        "Name": {"Fn::Sub": "${B}-x"},
        "Of": {"Fn::GetAtt": ["B", "Arn"]},
        "In": {"Fn::If": ["C", {"Ref": "B"}, 1]},
    }


def test_what_is_no_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources:\n  A: {Name: [}\n")
    with pytest.raises(TemplateInvalid, match=r"template\.yaml is not YAML: (.|\n)*line 2"):
        template.read(file)
