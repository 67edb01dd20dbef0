"""The SAM template as CloudFormation gets it: translated by SAM's own translator, with local folders in place of S3."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from embedded_aws.deployer import yaml_text
from embedded_aws.deployer.errors import NotHonoured, TemplateInvalid

ARTEFACTS_BUCKET = "artefacts-on-this-machine"
"""Stands for the bucket of `sam package`: its keys are the logical ids of the resources, their content is local."""

_LOCAL_PROPERTIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """What `sam package` would upload: a folder or a file of this machine."""

    path: Path
    built: bool
    """Whether building made it: then it does not lie where the template says."""


@dataclass(slots=True)
class Translated:
    """The CloudFormation template, and what lies behind each artefact's key."""

    template: dict[str, Any]
    artefacts: dict[str, Artefact] = field(default_factory=dict)


def read(path: Path) -> dict[str, Any]:
    """The template of the file, its short intrinsic functions written out. Raises TemplateInvalid."""
    try:
        template = yaml_text.parse(path.read_text())
    except (ValueError, yaml.YAMLError) as error:
        raise TemplateInvalid(f"{path} is not YAML: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateInvalid(f"{path} has no Resources")
    return template


def translate(
    template: Mapping[str, Any], *, root: Path, region: str, parameters: Mapping[str, Any], built: Mapping[str, Path]
) -> Translated:
    """Translates the template, whose paths are relative to `root`.

    `built` gives, by logical id, the folder that building the resource has made (a layer of third-party packages), or
    the resource's own folder where that runs as it is.
    Raises TemplateInvalid for what SAM refuses, NotHonoured for what must be built and was not given.
    """
    packaged: dict[str, Any] = _with_included(copy.deepcopy(dict(template)), root)
    artefacts = {}
    for name, resource in packaged["Resources"].items():
        key = _LOCAL_PROPERTIES.get(resource.get("Type", ""))
        properties = resource.get("Properties", {})
        if key is None or not isinstance(properties.get(key), str) or properties[key].startswith("s3://"):
            continue
        artefacts[name] = _artefact(name, resource, root / properties[key], built)
        properties[key] = f"s3://{ARTEFACTS_BUCKET}/{name}"
    # The translator notes, as a warning, that it has no one to send its own usage metrics to.
    # Nor that features of AWS's own roll-out are not configured.
    for name in ("samtranslator.metrics.metrics", "samtranslator.feature_toggle.feature_toggle"):
        logging.getLogger(name).setLevel(logging.ERROR)
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        translated = translator.translate(
            packaged,
            {name: value for name, value in parameters.items() if isinstance(value, str)},
            get_managed_policy_map=lambda: get_bundled_managed_policy_map("aws") or {},
        )
    except InvalidDocumentException as error:
        raise TemplateInvalid("; ".join(cause.message for cause in error.causes)) from error
    return Translated(translated, artefacts)


def _with_included(value: Any, root: Path) -> Any:
    """The same value with each `Fn::Transform: AWS::Include` of a local file replaced by the file's content."""
    if isinstance(value, list):
        return [_with_included(inner, root) for inner in value]
    if not isinstance(value, dict):
        return value
    call = value.get("Fn::Transform")
    if isinstance(call, dict) and call.get("Name") == "AWS::Include":
        path = root / call["Parameters"]["Location"]
        if not path.is_file():
            raise TemplateInvalid(f"AWS::Include: {path} does not exist")
        rest = {name: inner for name, inner in value.items() if name != "Fn::Transform"}
        return _with_included({**yaml_text.parse(path.read_text()), **rest}, root)
    return {name: _with_included(inner, root) for name, inner in value.items()}


def _artefact(name: str, resource: Mapping[str, Any], path: Path, built: Mapping[str, Path]) -> Artefact:
    source = path
    if name in built:
        path = built[name]
    elif "BuildMethod" in resource.get("Metadata", {}):
        method = resource["Metadata"]["BuildMethod"]
        raise NotHonoured(f"{name} must be built first (Metadata.BuildMethod: {method}): give the built folder for it")
    if not path.exists():
        raise TemplateInvalid(f"{name}: {path} does not exist")
    return Artefact(path, built=path != source)
