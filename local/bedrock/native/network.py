"""What the role of a job in a VPC must be allowed: no network is imitated here, only what Bedrock asks of it.

docs.aws.amazon.com/bedrock/latest/userguide/custom-model-job-access-security.html#vpc-data-access-role
"""

from __future__ import annotations

from collections.abc import Iterator

from local.bedrock.records import Document

_DESCRIBED = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
_USED = ("CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission")
_TAGS = ("BedrockManaged", "BedrockModelCustomizationJobArn")


def network_needs(job: Document) -> Iterator[tuple[str, str, dict[str, str]]]:
    """IAM action, resource, what IAM knows of the request: for a job's record; none for a job without a VPC."""
    vpc = job.get("vpc")
    if not vpc:
        return
    region, account = job["arn"].split(":")[3:5]
    prefix = f"arn:aws:ec2:{region}:{account}"
    values = dict(zip(_TAGS, ("true", job["arn"]), strict=True))
    interface, of_request = (
        f"{prefix}:network-interface/*",
        {f"aws:requesttag/{name.lower()}": values[name] for name in _TAGS},
    )
    for kind in _DESCRIBED:
        yield f"ec2:Describe{kind}", "*", {}
    yield "ec2:CreateNetworkInterface", interface, of_request
    for member, kind in (("subnetIds", "subnet"), ("securityGroupIds", "security-group")):
        for each in vpc.get(member) or ():
            yield "ec2:CreateNetworkInterface", f"{prefix}:{kind}/{each}", of_request
    yield "ec2:CreateTags", interface, {"ec2:createaction": "CreateNetworkInterface", "aws:tagkeys": ",".join(_TAGS)}
    of_interface = {f"ec2:resourcetag/{name.lower()}": values[name] for name in _TAGS}
    for subnet in vpc.get("subnetIds") or ():
        for action in _USED:
            yield f"ec2:{action}", interface, {"ec2:subnet": f"{prefix}:subnet/{subnet}", **of_interface}
