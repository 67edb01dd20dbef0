"""Which permissions an API call needs: its action, the resource that IAM asks about, and what IAM knows of it.

docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from embedded_aws.calls import Call
from embedded_aws.permissions.need import READ, READ_AND_WRITE, Need, key_needs
from embedded_aws.permissions.resources import Resources
from embedded_aws.permissions.s3_needs import s3_needs

FREE = {"sts:GetCallerIdentity"}
"""What everyone may do."""

_FUNCTION_ACTIONS = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}
_ON_QUEUES = {"SendMessage": READ_AND_WRITE, "SendMessageBatch": READ_AND_WRITE, "ReceiveMessage": READ}
_EQUALITY = re.compile(r"([#\w.-]++)\s*+=\s*+(:\w++)")
_IN_A_TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}


def needs(call: Call, resources: Resources) -> Iterator[Need]:
    """Every permission that the call needs, those on keys too."""
    of_service = _BY_SERVICE.get(call.service)
    if of_service is None:
        yield Need(f"{call.service}:{call.action}", "*")
    else:
        yield from of_service(call, resources)


def _dynamodb(call: Call, resources: Resources) -> Iterator[Need]:
    for action, table, item in _tables(call):
        name = table.rpartition("/")[2]
        where = f"arn:aws:dynamodb:{resources.region}:{resources.account}:table/{name}"
        if call.parameters.get("IndexName"):
            where += f"/index/{call.parameters['IndexName']}"
        hash_key = resources.hash_key(name, call.parameters.get("IndexName"))
        leading = item.get(hash_key or "") if isinstance(item, Mapping) else None
        yield Need(
            f"dynamodb:{action}", where, {"dynamodb:leadingkeys": _first([*leading.values()])} if leading else {}
        )
        yield from key_needs(resources, "dynamodb", resources.table_key(name), READ, {"aws:dynamodb:tableName": name})


def _tables(call: Call) -> Iterator[tuple[str, str, Any]]:
    """IAM action, table, and the item or its key, for each table that the call is about."""
    body = call.parameters
    for name in body.get("RequestItems") or ():
        yield call.action, name, None
    for each in body.get("TransactItems") or ():
        for kind, item in each.items():
            yield _IN_A_TRANSACTION.get(kind, f"{kind}Item"), item["TableName"], item.get("Key") or item.get("Item")
    if not body.get("RequestItems") and not body.get("TransactItems"):
        item = body.get("Key") or body.get("Item") or dict(_equalities(body))
        yield call.action, str(body.get("TableName", "*")), item


def _equalities(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The attributes of which a query wants one value, and that value: its leading key is among them."""
    names, values = body.get("ExpressionAttributeNames") or {}, body.get("ExpressionAttributeValues") or {}
    for name, value in _EQUALITY.findall(str(body.get("KeyConditionExpression") or "")):
        yield names.get(name, name), values.get(value)
    for name, condition in (body.get("KeyConditions") or {}).items():
        if condition.get("ComparisonOperator") == "EQ":
            yield name, next(iter(condition.get("AttributeValueList") or ()), None)


def _sns(call: Call, resources: Resources) -> Iterator[Need]:
    topic = str(call.parameters.get("TopicArn") or call.parameters.get("TargetArn") or "*")
    yield Need(f"sns:{call.action}", topic)
    if call.action in ("Publish", "PublishBatch"):
        context = {"aws:sns:topicArn": topic}
        yield from key_needs(resources, "sns", resources.topic_key(topic), READ_AND_WRITE, context)


def _sqs(call: Call, resources: Resources) -> Iterator[Need]:
    name = str(call.parameters.get("QueueUrl") or call.parameters.get("QueueName") or "").rpartition("/")[2]
    yield Need(f"sqs:{call.action}", f"arn:aws:sqs:{resources.region}:{resources.account}:{name}")
    yield from key_needs(resources, "sqs", resources.queue_key(name), _ON_QUEUES.get(call.action, ()))


def _lambda(call: Call, resources: Resources) -> Iterator[Need]:
    name = unquote(call.path).partition("/functions/")[2].partition("/")[0]
    qualifier = call.parameters.get("Qualifier")
    prefix = "" if name.startswith("arn:") else f"arn:aws:lambda:{resources.region}:{resources.account}:function:"
    where = f"{prefix}{name}" + (f":{_first(qualifier)}" if qualifier else "")
    yield Need(f"lambda:{_FUNCTION_ACTIONS.get(call.action, call.action)}", where if name else "*")


def _ssm(call: Call, resources: Resources) -> Iterator[Need]:
    named = call.parameters.get("Names") or call.parameters.get("Name") or call.parameters.get("Path") or "*"
    for name in named if isinstance(named, list) else [named]:
        where = f"arn:aws:ssm:{resources.region}:{resources.account}:parameter/{str(name).removeprefix('/')}"
        yield Need(f"ssm:{call.action}", where)


def _secretsmanager(call: Call, resources: Resources) -> Iterator[Need]:
    arn, key = resources.secret(str(call.parameters.get("SecretId", "*")))
    yield Need(f"secretsmanager:{call.action}", arn)
    if call.action == "GetSecretValue":
        yield from key_needs(resources, "secretsmanager", key, READ, {"SecretARN": arn})


def _states(call: Call, resources: Resources) -> Iterator[Need]:
    where = "*"
    if token := call.parameters.get("taskToken"):
        where = resources.machine_of_token(str(token))
    for name in ("executionArn", "stateMachineArn", "mapRunArn"):
        where = str(call.parameters.get(name) or where)
    yield Need(f"states:{call.action}", where)


def _kms(call: Call, resources: Resources) -> Iterator[Need]:
    yield Need(f"kms:{call.action}", resources.key_arn(str(call.parameters.get("KeyId", ""))) or "*")


def _sts(call: Call, _: Resources) -> Iterator[Need]:
    yield Need(f"sts:{call.action}", _first(call.parameters.get("RoleArn", "*")))


def _cloudformation(call: Call, resources: Resources) -> Iterator[Need]:
    name = _first(call.parameters.get("StackName") or "*")
    # IAM asks about the stack's ARN, whose last part is an id that no policy can know before.
    known = name == "*" or name.startswith("arn:")
    where = name if known else f"arn:aws:cloudformation:{resources.region}:{resources.account}:stack/{name}/*"
    yield Need(f"cloudformation:{call.action}", where)


def _cloudwatch(call: Call, resources: Resources) -> Iterator[Need]:
    name = _first(call.parameters.get("AlarmName") or "")
    where = f"arn:aws:cloudwatch:{resources.region}:{resources.account}:alarm:{name}" if name else "*"
    yield Need(f"cloudwatch:{call.action}", where)


_BY_SERVICE = {
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "s3": s3_needs,
    "dynamodb": _dynamodb,
    "sns": _sns,
    "sqs": _sqs,
    "lambda": _lambda,
    "ssm": _ssm,
    "secretsmanager": _secretsmanager,
    "states": _states,
    "kms": _kms,
    "sts": _sts,
}


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)
