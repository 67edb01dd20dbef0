"""What is known of a resource type: how to create it, which properties are honoured, which may be ignored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.deployer.errors import NotHonoured
from embedded_aws.deployer.intrinsics import Created, function_of
from embedded_aws.deployer.template import Artefact
from embedded_aws.embedded import EmbeddedAws


@dataclass(slots=True)
class Stack:
    """What creating a resource needs: where, under which name, from which local files."""

    aws: EmbeddedAws
    name: str
    artefacts: Mapping[str, Artefact] = field(default_factory=dict)

    def physical_name(self, logical_id: str, longest: int = 64) -> str:
        """A name as CloudFormation makes them up: stack, logical id, a suffix; here the same at each deployment."""
        suffix = hashlib.sha256(f"{self.name}/{logical_id}".encode()).hexdigest()[:10].upper()
        head = f"{self.name}-{logical_id}"[: longest - len(suffix) - 1]
        return f"{head.rstrip('-')}-{suffix}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.aws.region}:{self.aws.account}:{resource}"


Create = Callable[[Stack, str, dict[str, Any]], Created]
"""Stack, logical id, resolved properties → what exists now."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One type of resource.

    Properties are paths like `Targets[].Arn`; a path stands for all that lies below it. `without_effect` gives, for
    each property that is accepted and ignored, why ignoring it changes nothing on one machine.
    """

    name: str
    create: Create
    honoured: frozenset[str]
    without_effect: Mapping[str, str]

    def check(self, logical_id: str, properties: Any) -> None:
        """Raises NotHonoured for the first property that is in neither table."""
        for path in _paths(properties, ""):
            if not any(path == known or path.startswith((f"{known}.", f"{known}[]")) for known in self._known):
                raise NotHonoured(
                    f"{logical_id} ({self.name}): the property {path} is not honoured by the embedded AWS; "
                    f"it knows {', '.join(sorted(self._known))}"
                )

    @property
    def _known(self) -> frozenset[str]:
        return self.honoured | frozenset(self.without_effect)


TYPES: dict[str, ResourceType] = {}
"""Every resource type that can be deployed, by its name."""


def resource_type(
    name: str, *, honoured: Sequence[str], without_effect: Mapping[str, str] | None = None
) -> Callable[[Create], Create]:
    """Registers the function below it as the way to create resources of the type."""

    def register(create: Create) -> Create:
        TYPES[name] = ResourceType(name, create, frozenset(honoured), without_effect or {})
        return create

    return register


def _paths(value: Any, path: str) -> Iterator[str]:
    """The paths of a value's leaves. Of Fn::If both branches count; any other intrinsic function is a leaf."""
    call = function_of(value)
    if call is not None and call[0] == "Fn::If":
        for branch in call[1][1:]:
            yield from _paths(branch, path)
    elif call is not None:
        if call != ("Ref", "AWS::NoValue"):
            yield path
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")
    else:
        yield path


def tags(properties: Mapping[str, Any], *, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """The Tags property in an API's shape."""
    return [{key: tag["Key"], value: str(tag["Value"])} for tag in properties.get("Tags", [])]


def given(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those of the properties that are there."""
    return {name: properties[name] for name in names if name in properties}


def lower_camel(value: Any) -> Any:
    """The same structure with names that begin in lower case, as some APIs spell CloudFormation's properties."""
    if isinstance(value, Mapping):
        return {
            re.sub(r"^[A-Z]", lambda letter: letter.group().lower(), name): lower_camel(inner)
            for name, inner in value.items()
        }
    return [lower_camel(inner) for inner in value] if isinstance(value, list) else value


def truth(value: Any) -> bool:
    """A boolean, which CloudFormation also takes as text."""
    return value is True or str(value).lower() == "true"
