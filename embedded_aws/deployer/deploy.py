"""Deploys a SAM template onto the embedded AWS: each resource by its own API, in the order of their dependencies."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from embedded_aws.deployed_stack import COMPLETE, DeployedStack
from embedded_aws.deployer import parameters as template_parameters
from embedded_aws.deployer import template as sam
from embedded_aws.deployer.errors import DeploymentError, NotHonoured, TemplateInvalid
from embedded_aws.deployer.intrinsics import Created, Resolver, references
from embedded_aws.deployer.resource_type import Stack
from embedded_aws.deployer.resources import TYPES
from embedded_aws.embedded import EmbeddedAws

_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Conditions",
    "Resources",
    "Outputs",
}
"""The sections of a translated template; Mappings, Rules, Transform (of a macro) and Hooks are not honoured."""

_RESOURCE_FIELDS = {
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    # No local effect: a stack of one machine ends with its process, and nothing is updated or replaced in it.
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment made: the outputs by name, and each resource by its logical id."""

    outputs: dict[str, str]
    resources: dict[str, DeployedResource] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeployedResource:
    """One resource of a deployment."""

    physical_id: str
    """What Ref gives: a name, an ARN or an id, as CloudFormation documents for the type."""
    attributes: Mapping[str, str]


def deploy(
    aws: EmbeddedAws,
    template: Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    stack_name: str,
    built: Mapping[str, Path] | None = None,
) -> Deployment:
    """Deploys the template file; paths in it are relative to its folder.

    `built` gives, by logical id, the folder of a resource that must be built (Metadata.BuildMethod). What can be
    checked is checked before the first resource is created. Raises DeploymentError, which names resource and property.
    """
    aws.deployer = partial(_deploy_text, aws)
    source = sam.read(template)
    values = template_parameters.resolved(source.get("Parameters", {}), parameters or {})
    translated = sam.translate(source, root=template.parent, region=aws.region, parameters=values, built=built or {})
    cloudformation = translated.template
    _check_sections(cloudformation)
    pseudo = _pseudo_parameters(aws, stack_name)
    resolver = Resolver(
        parameters=values,
        pseudo=pseudo,
        conditions=cloudformation.get("Conditions", {}),
    )
    wanted = {
        name: resource
        for name, resource in cloudformation["Resources"].items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }
    for name, resource in wanted.items():
        _check_resource(name, resource)
    order = _in_order(wanted)
    deployed = DeployedStack(pseudo["AWS::StackId"], stack_name, template.read_text(), cloudformation, values)
    aws.stacks[stack_name] = deployed
    try:
        made = _create_all(Stack(aws, stack_name, translated.artefacts), wanted, order, resolver, deployed)
        deployed.outputs = {
            name: str(resolver.resolve(output["Value"]))
            for name, output in cloudformation.get("Outputs", {}).items()
            if "Condition" not in output or resolver.condition(output["Condition"])
        }
    except Exception as error:
        deployed.fail(str(error))
        raise
    deployed.status = COMPLETE
    return Deployment(dict(deployed.outputs), made)


def _deploy_text(aws: EmbeddedAws, stack_name: str, template: str, parameters: Mapping[str, str]) -> DeployedStack:
    """Deploys a template that was sent. Raises ValueError: why it cannot be deployed."""
    path = aws.folder / "templates" / uuid.uuid4().hex / "template.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(template)
    try:
        deploy(aws, path, parameters, stack_name=stack_name)
    except DeploymentError as error:
        raise ValueError(str(error).replace(str(path), "The template")) from error
    return aws.stacks[stack_name]


def _create_all(
    stack: Stack,
    wanted: Mapping[str, Mapping[str, Any]],
    order: Iterable[str],
    resolver: Resolver,
    deployed: DeployedStack,
) -> dict[str, DeployedResource]:
    made: dict[str, DeployedResource] = {}
    for name in order:
        kind = wanted[name]["Type"]
        try:
            properties = resolver.resolve(wanted[name].get("Properties", {}))
        except DeploymentError as error:
            raise type(error)(f"{name} ({kind}): {error}") from error
        created = _create(stack, name, kind, properties)
        resolver.resources[name] = created
        made[name] = DeployedResource(created.ref, created.attributes)
        deployed.add(name, created.ref, kind)
    return made


def _pseudo_parameters(aws: EmbeddedAws, stack_name: str) -> dict[str, str]:
    return {
        "AWS::Region": aws.region,
        "AWS::AccountId": aws.account,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack_name,
        "AWS::StackId": f"arn:aws:cloudformation:{aws.region}:{aws.account}:stack/{stack_name}/{uuid.uuid4()}",
    }


def _check_sections(template: Mapping[str, Any]) -> None:
    unknown = sorted(set(template) - _SECTIONS)
    if unknown:
        raise NotHonoured(f"the template's section {', '.join(unknown)} is not honoured by the embedded AWS")


def _check_resource(name: str, resource: Mapping[str, Any]) -> None:
    kind = resource.get("Type")
    if kind not in TYPES:
        raise NotHonoured(
            f"{name}: the resource type {kind} is not honoured by the embedded AWS; it knows {', '.join(sorted(TYPES))}"
        )
    unknown = sorted(set(resource) - _RESOURCE_FIELDS)
    if unknown:
        raise NotHonoured(f"{name} ({kind}): {', '.join(unknown)} is not honoured by the embedded AWS")
    TYPES[kind].check(name, resource.get("Properties", {}))


def _create(stack: Stack, name: str, kind: str, properties: dict[str, Any]) -> Created:
    try:
        return TYPES[kind].create(stack, name, properties)
    except DeploymentError:
        raise
    except Exception as error:
        raise TemplateInvalid(f"{name} ({kind}) could not be created: {error}") from error


def _in_order(resources: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """The resources, each after those that it needs. Raises TemplateInvalid, which names a circle."""
    needs = {
        name: {
            other
            for other in [*references(resource.get("Properties", {})), *_depends_on(resource)]
            if other in resources
        }
        for name, resource in resources.items()
    }
    done: list[str] = []
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in done:
            return
        if name in under_way:
            circle = under_way[under_way.index(name) :]
            raise TemplateInvalid(f"the resources {' → '.join([*circle, name])} depend on each other")
        under_way.append(name)
        for other in sorted(needs[name]):
            visit(other)
        under_way.remove(name)
        done.append(name)

    for name in resources:
        visit(name)
    return done


def _depends_on(resource: Mapping[str, Any]) -> list[str]:
    named = resource.get("DependsOn", [])
    return named if isinstance(named, list) else [named]
