"""template.yaml as its author wrote it, and as CloudFormation gets it: translated by SAM's own translator.

    python -m checks.sam_template          prints the translated template as JSON, for cfn-lint

The state machines' definitions are put into the translation, so that a linter sees them as well.
"""

from __future__ import annotations

import copy
import functools
import json
import logging
import sys
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "template.yaml"

STATE_MACHINE = "AWS::Serverless::StateMachine"
_ARTEFACTS = {
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    STATE_MACHINE: ("DefinitionUri",),
}
_REGION = "us-west-2"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml is ten times as fast
    """Reads CloudFormation's short forms, too, as SAM's own loader does."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def read(root: Path = ROOT) -> dict[str, Any]:
    """The SAM template, its short intrinsic functions (`!Ref x`) written out (`{"Ref": "x"}`)."""
    return copy.deepcopy(_parsed((root / TEMPLATE).read_text()))


@functools.lru_cache(maxsize=4)
def _parsed(text: str) -> dict[str, Any]:
    """A template that is not to be changed."""
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - as safe as the loader that it extends
    return template


def machines(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of each state machine in the SAM template, by its logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == STATE_MACHINE
    }


def translate(template: dict[str, Any], root: Path = ROOT) -> dict[str, Any]:
    """The CloudFormation template that SAM makes of `template`, with the parameters' defaults.

    Folders stand as the S3 objects that `sam package` would make of them: the translator takes no others.

    Raises:
        samtranslator.model.exceptions.InvalidDocumentException: SAM refuses the template.
    """
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    packaged = copy.deepcopy(template)
    for resource in packaged["Resources"].values():
        for artefact in _ARTEFACTS.get(resource["Type"], ()):
            resource["Properties"][artefact] = f"s3://packaged/{resource['Properties'][artefact]}"
    # The translator notes, as a warning, that it has no one to send its own usage metrics to.
    logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=_REGION))
    translated: dict[str, Any] = translator.translate(packaged, {})
    for name, machine in machines(template).items():
        properties = translated["Resources"][name]["Properties"]
        del properties["DefinitionS3Location"]
        properties["Definition"] = yaml.safe_load((root / machine["DefinitionUri"]).read_text())
    return translated


def lintable(translated: dict[str, Any]) -> dict[str, Any]:
    """`translated` without what AWS takes in a state machine and cfn-lint's schema (1.58, rule E3601) does not know:
    a substitution for the partition in a Resource, an expression for a number."""
    numbers = ("MaxConcurrency", "TimeoutSeconds")

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: 1 if name in numbers else known(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [known(inner) for inner in value]
        return value.replace("${Partition}", "aws") if isinstance(value, str) else value

    template = copy.deepcopy(translated)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "Definition" in properties:
            properties["Definition"] = known(properties["Definition"])
    return template


if __name__ == "__main__":
    json.dump(lintable(translate(read())), sys.stdout, indent=1)
