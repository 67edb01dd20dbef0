"""IAM's managed policies."""

from __future__ import annotations

import functools
import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from embedded_aws.moto_patches.replacement import Replace


def know_managed_policies(replace: Replace) -> None:
    """moto knows none of AWS's managed policies, or makes all 1,582 of them for each of 6 partitions at every start
    (1.4 s): https://docs.getmoto.org/en/latest/docs/configuration/index.html. Here each is made when it is
    attached."""

    def attach(backend: Any, policy_arn: str, role_name: str) -> None:
        name = policy_arn.rsplit("/", 1)[1]
        if policy_arn.startswith("arn:aws:iam::aws:policy/") and policy_arn not in backend.managed_policies:
            known = _managed_policies().get(name)
            if known is not None:
                policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, known)
                backend.managed_policies[policy.arn] = policy
        original(backend, policy_arn, role_name)

    original = replace(IAMBackend, "attach_role_policy", attach)


@functools.cache
def _managed_policies() -> dict[str, dict[str, Any]]:
    """AWS's managed policies by name, as moto brings them."""
    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return policies
