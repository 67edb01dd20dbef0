"""Which permissions each call of the native APIs needs, and on what.

docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from starlette.requests import Request

from local.bedrock.caller_rights import SERVICE
from local.bedrock.catalog import NOVA_TUNED
from local.bedrock.records import Document

Needed = tuple[str, str, dict[str, str]]
"""IAM action, resource, what IAM knows of the request."""

_JOB, _MODEL, _DEPLOYMENT = "model-customization-job", "custom-model", "custom-model-deployment"
_PATHS = {"jobIdentifier": _JOB, "modelIdentifier": _MODEL, "customModelDeploymentIdentifier": _DEPLOYMENT}
_ASKS_A_MODEL = ("InvokeModel", "InvokeModelWithResponseStream")
_TAGS = ("ListTagsForResource", "TagResource", "UntagResource")


async def needed(request: Request, action: str, *, region: str, account: str) -> list[Needed]:
    """The permissions for one request of an action."""
    prefix = f"arn:aws:bedrock:{region}:{account}"
    body: Document = {}
    if request.method == "POST":
        try:
            body = orjson.loads(await request.body() or b"{}")
        except orjson.JSONDecodeError:
            body = {}  # the handler refuses it
    return list(_needed(request, action, body, prefix=prefix, region=region))


def _needed(request: Request, action: str, body: Document, *, prefix: str, region: str) -> Iterator[Needed]:
    if action in _ASKS_A_MODEL:
        for resource in _asked_model(str(request.path_params["model_id"]), prefix, region):
            yield f"bedrock:{action}", resource, {}
        return
    if action == "GetFoundationModel":
        model = str(request.path_params["modelIdentifier"]).rpartition("foundation-model/")[2]
        yield "bedrock:GetFoundationModel", f"arn:aws:bedrock:{region}::foundation-model/{model}", {}
        return
    if action in _TAGS:
        yield f"bedrock:{action}", str(body.get("resourceARN") or "*"), {}
        return
    if action == "CreateModelCustomizationJob":
        yield "bedrock:CreateModelCustomizationJob", f"arn:aws:bedrock:{region}::foundation-model/{NOVA_TUNED}", {}
        yield "bedrock:CreateModelCustomizationJob", f"{prefix}:{_JOB}/{NOVA_TUNED}/new", {}
        yield "bedrock:CreateModelCustomizationJob", f"{prefix}:{_MODEL}/{NOVA_TUNED}/new", {}
        yield "iam:PassRole", str(body.get("roleArn") or "*"), {"iam:passedtoservice": SERVICE}
        for member, resource in (("jobTags", _JOB), ("customModelTags", _MODEL)):
            if body.get(member):
                yield "bedrock:TagResource", f"{prefix}:{resource}/{NOVA_TUNED}/new", {}
        key = body.get("customModelKmsKeyId")
        if key:
            # docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html: who creates the job lets Bedrock
            # use the key.
            for each in ("CreateGrant", "DescribeKey", "GenerateDataKey", "Decrypt"):
                yield f"kms:{each}", str(key), {"kms:viaservice": f"bedrock.{region}.amazonaws.com"}
        return
    if action == "CreateCustomModelDeployment":
        yield "bedrock:CreateCustomModelDeployment", str(body.get("modelArn") or "*"), {}
        return
    for name, kind in _PATHS.items():
        if name in request.path_params:
            identifier = str(request.path_params[name])
            resource = identifier if identifier.startswith("arn:") else f"{prefix}:{kind}/{identifier}"
            yield f"bedrock:{action}", resource, {}
            return
    yield f"bedrock:{action}", "*", {}  # lists have no resource


def _asked_model(model_id: str, prefix: str, region: str) -> Iterator[str]:
    """A deployment; or an inference profile of a geography, and the model behind it."""
    if model_id.startswith("arn:"):
        yield model_id
        return
    geography, _, model = model_id.partition(".")
    if geography in ("us", "eu", "apac", "global"):
        yield f"{prefix}:inference-profile/{model_id}"
        yield f"arn:aws:bedrock:{region}::foundation-model/{model}"
    else:
        yield f"arn:aws:bedrock:{region}::foundation-model/{model_id}"
