"""State machines, their definitions read from the template's own files."""

from __future__ import annotations

import json
import re
from typing import Any

from embedded_aws.deployer import yaml_text
from embedded_aws.deployer.errors import NotHonoured, TemplateInvalid
from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, lower_camel, resource_type, tags
from embedded_aws.deployer.template import ARTEFACTS_BUCKET

_WRONG_FIELDS = {"ItemBatcher", "ResultWriter"}
_WRONG_TEXTS = re.compile(r"^JSONL$|:startExecution\.sync:2$|\$(uuid|hash)\(")
"""A reader of JSON lines, a nested execution that answers as JSON, JSONata functions that answer with an excuse."""

_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


@resource_type(
    "AWS::StepFunctions::StateMachine",
    honoured=[
        "StateMachineName",
        "StateMachineType",
        "RoleArn",
        "Definition",
        "DefinitionString",
        "DefinitionS3Location",
        "DefinitionSubstitutions",
        "Tags",
    ],
    without_effect={
        "LoggingConfiguration": "the history of every execution is kept whole; no log lines are made of it",
        "TracingConfiguration": "X-Ray is not there on one machine",
    },
)
def state_machine(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    if properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise NotHonoured(
            f"{logical_id}: StateMachineType {properties['StateMachineType']} is not imitated; STANDARD is"
        )
    name = properties.get("StateMachineName") or stack.physical_name(logical_id, 80)
    optional = {}
    if "LoggingConfiguration" in properties:
        optional["loggingConfiguration"] = lower_camel(properties["LoggingConfiguration"])
    if "TracingConfiguration" in properties:
        optional["tracingConfiguration"] = lower_camel(properties["TracingConfiguration"])
    arn = stack.aws.client("stepfunctions").create_state_machine(
        name=name,
        definition=_definition(stack, logical_id, properties),
        roleArn=properties["RoleArn"],
        type="STANDARD",
        tags=tags(properties, key="key", value="value"),
        **optional,
    )["stateMachineArn"]
    return Created(arn, {"Arn": arn, "Name": name})


def _check(logical_id: str, definition: Any, state: str = "") -> None:
    """Raises NotHonoured, which names the state, for what moto's interpreter would do wrongly without a word."""
    if isinstance(definition, list):
        for inner in definition:
            _check(logical_id, inner, state)
    elif isinstance(definition, dict):
        for name, inner in definition.items():
            if name in _WRONG_FIELDS and state:
                raise NotHonoured(f"{logical_id}: {name} of {state} is not imitated on one machine")
            if name == "States":
                for inner_state, body in inner.items():
                    _check(logical_id, body, inner_state)
            else:
                _check(logical_id, inner, state)
    elif isinstance(definition, str):
        wrong = _WRONG_TEXTS.search(definition)
        if wrong:
            raise NotHonoured(f"{logical_id}: {wrong.group()} in {state} is not imitated on one machine")


def _definition(stack: Stack, logical_id: str, properties: dict[str, Any]) -> str:
    """The definition as JSON, its `${Name}` filled from DefinitionSubstitutions. Raises TemplateInvalid."""
    if "DefinitionS3Location" in properties:
        location = properties["DefinitionS3Location"]
        if location.get("Bucket") != ARTEFACTS_BUCKET:
            raise NotHonoured(f"{logical_id}: the definition must be a file of this machine, got {location}")
        path = stack.artefacts[location["Key"]].path
        content = yaml_text.parse(path.read_text())  # JSON is YAML
        text = json.dumps(content)
    elif "DefinitionString" in properties:
        text = str(properties["DefinitionString"])
    else:
        text = json.dumps(properties["Definition"])
    substitutions = {name: str(value) for name, value in properties.get("DefinitionSubstitutions", {}).items()}
    missing = sorted({name for name in _SUBSTITUTION.findall(text) if name not in substitutions})
    if missing:
        raise TemplateInvalid(
            f"{logical_id}: the definition has ${{{missing[0]}}}, but DefinitionSubstitutions has not"
        )
    filled = _SUBSTITUTION.sub(lambda match: substitutions[match.group(1)], text)
    _check(logical_id, json.loads(filled))
    return filled
