"""A permission that a call needs, and those that it needs on the key of what it reads or writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from embedded_aws.permissions.resources import Resources

READ = ("kms:Decrypt",)
WRITE = ("kms:GenerateDataKey",)
READ_AND_WRITE = (*READ, *WRITE)


@dataclass(frozen=True, slots=True)
class Need:
    """An action, the resource that IAM asks about (an ARN, or `*`), and what the call tells IAM of itself."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def key_needs(
    resources: Resources,
    service: str,
    key: str | None,
    actions: tuple[str, ...],
    encryption_context: Mapping[str, str] | None = None,
) -> Iterator[Need]:
    """What a service asks KMS for with its caller's rights, where a customer's key encrypts the data.

    docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    arn = resources.key_arn(key)
    if arn is None:
        return
    context = {"kms:viaservice": f"{service}.{resources.region}.amazonaws.com", "kms:calleraccount": resources.account}
    for name, value in (encryption_context or {}).items():
        context[f"kms:encryptioncontext:{name}".lower()] = value
    for action in actions:
        yield Need(action, arn, context)
