"""The resource types that can be deployed; importing this registers them all."""

from embedded_aws.deployer.resource_type import TYPES
from embedded_aws.deployer.resources import (
    api_gateway,
    dynamodb,
    event_rules,
    functions,
    iam,
    messaging,
    operations,
    s3,
    state_machines,
)

__all__ = [
    "TYPES",
    "api_gateway",
    "dynamodb",
    "event_rules",
    "functions",
    "iam",
    "messaging",
    "operations",
    "s3",
    "state_machines",
]
