"""Functions with their versions, aliases, layers and permissions."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from embedded_aws.deployer.errors import NotHonoured, TemplateInvalid
from embedded_aws.deployer.intrinsics import Created
from embedded_aws.deployer.resource_type import Stack, given, resource_type
from embedded_aws.deployer.template import ARTEFACTS_BUCKET
from embedded_aws.lambdas.code import link_folder, pack_folder

MAX_ENVIRONMENT_BYTES = 4 * 1024
"""All of a function's variables together (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

RESERVED_VARIABLES = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
}
"""What Lambda sets itself (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""


def _archive(stack: Stack, logical_id: str, location: dict[str, Any]) -> bytes:
    if "ZipFile" in location:
        return _inline(location["ZipFile"])
    if location.get("S3Bucket") != ARTEFACTS_BUCKET:
        raise NotHonoured(f"{logical_id}: code must be a folder of this machine, got {location}")
    artefact = stack.artefacts[location["S3Key"]]
    return link_folder(artefact.path) if artefact.built else pack_folder(artefact.path)


def _inline(source: str) -> bytes:
    """Code that stands in the template, which CloudFormation puts into a module `index`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", source)
    return packed.getvalue()


@resource_type(
    "AWS::Lambda::Function",
    honoured=[
        "FunctionName",
        "Description",
        "Code.S3Bucket",
        "Code.S3Key",
        "Code.ZipFile",
        "Handler",
        "Runtime",
        "Role",
        "Timeout",
        "MemorySize",
        "Environment.Variables",
        "Layers",
        "ReservedConcurrentExecutions",
        "TracingConfig.Mode",  # X-Ray is not there on one machine: Lambda checks the role's permissions, and no more
        "LoggingConfig.LogFormat",
        "LoggingConfig.LogGroup",
        "LoggingConfig.ApplicationLogLevel",
        "Tags",
    ],
    without_effect={
        "Architectures": "processes run on this machine's own processor",
        "EphemeralStorage.Size": "the scratch folder is as large as the disk",
        "SnapStart": "processes start from nothing, in well under a second",
        "LoggingConfig.SystemLogLevel": "the START, END and REPORT lines are always written, as text",
        "RuntimeManagementConfig": "there is one runtime: the one that is installed",
    },
)
def function(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    runtime = str(properties.get("Runtime", ""))
    if not runtime.startswith("python3."):
        raise NotHonoured(f"{logical_id}: Runtime {runtime or 'missing'} cannot run here; only Python can")
    _check_environment(logical_id, properties.get("Environment", {}).get("Variables", {}))
    api = stack.aws.client("lambda")
    name = properties.get("FunctionName") or stack.physical_name(logical_id)
    variables = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in properties.get("Environment", {}).get("Variables", {}).items()
    }
    made = api.create_function(
        FunctionName=name,
        Code={"ZipFile": _archive(stack, logical_id, properties["Code"])},
        Environment={"Variables": variables},
        Timeout=int(properties.get("Timeout", 3)),
        MemorySize=int(properties.get("MemorySize", 128)),
        Tags={tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])},
        **given(properties, "Description", "Handler", "Runtime", "Role", "Layers", "LoggingConfig", "Architectures"),
        **given(properties, "TracingConfig"),
    )
    if "ReservedConcurrentExecutions" in properties:
        api.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=int(properties["ReservedConcurrentExecutions"])
        )
    return Created(name, {"Arn": made["FunctionArn"]})


def _check_environment(logical_id: str, variables: dict[str, Any]) -> None:
    """Raises TemplateInvalid for what Lambda refuses: a name of its own, or too much."""
    reserved = sorted(set(variables) & RESERVED_VARIABLES)
    if reserved:
        raise TemplateInvalid(f"{logical_id}: Environment has {', '.join(reserved)}, which Lambda keeps for itself")
    size = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        raise TemplateInvalid(f"{logical_id}: Environment may have {MAX_ENVIRONMENT_BYTES} bytes, got {size}")


@resource_type(
    "AWS::Lambda::Version",
    honoured=["FunctionName", "Description"],
    without_effect={
        "ProvisionedConcurrencyConfig": "processes stay warm after their first use",
        "CodeSha256": "the code is what the template's own function has",
    },
)
def version(stack: Stack, _: str, properties: dict[str, Any]) -> Created:
    published = stack.aws.client("lambda").publish_version(**given(properties, "FunctionName", "Description"))
    return Created(published["FunctionArn"], {"Version": published["Version"], "FunctionArn": published["FunctionArn"]})


@resource_type(
    "AWS::Lambda::Alias",
    honoured=["FunctionName", "FunctionVersion", "Name", "Description"],
    without_effect={"ProvisionedConcurrencyConfig": "processes stay warm after their first use"},
)
def alias(stack: Stack, _: str, properties: dict[str, Any]) -> Created:
    made = stack.aws.client("lambda").create_alias(
        **given(properties, "FunctionName", "FunctionVersion", "Name", "Description")
    )
    return Created(made["AliasArn"], {"AliasArn": made["AliasArn"]})


@resource_type(
    "AWS::Lambda::LayerVersion",
    honoured=["LayerName", "Description", "Content.S3Bucket", "Content.S3Key"],
    without_effect={
        "CompatibleArchitectures": "layers are made for this machine's own processor",
        "CompatibleRuntimes": "there is one runtime: the one that is installed",
        "LicenseInfo": "a text for people",
    },
)
def layer_version(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    made = stack.aws.client("lambda").publish_layer_version(
        LayerName=properties.get("LayerName") or stack.physical_name(logical_id),
        Content={"ZipFile": _archive(stack, logical_id, properties["Content"])},
        **given(properties, "Description"),
    )
    return Created(made["LayerVersionArn"], {"LayerVersionArn": made["LayerVersionArn"]})


@resource_type(
    "AWS::Lambda::Permission",
    honoured=["FunctionName", "Action", "Principal", "SourceArn", "SourceAccount"],
)
def permission(stack: Stack, logical_id: str, properties: dict[str, Any]) -> Created:
    # Of a version's ARN moto leaves out the version, and would let the service invoke the latest code alone.
    parts = properties["FunctionName"].split(":")
    version = {"Qualifier": parts[7]} if len(parts) > 7 else {}
    stack.aws.client("lambda").add_permission(
        StatementId=logical_id,
        FunctionName=":".join(parts[:7]),
        **given(properties, "Action", "Principal", "SourceArn", "SourceAccount"),
        **version,
    )
    return Created(logical_id, {"Id": logical_id})
