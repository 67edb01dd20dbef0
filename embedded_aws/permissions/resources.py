"""What moto's resources say about permissions: their policies, and the keys that encrypt them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from embedded_aws.permissions.policy import Statement, statements


class Resources:
    """The resources of one account and Region, as moto holds them now."""

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region

    def identity(self, arn: str) -> list[Statement]:
        """The statements of a role's or a user's own policies (by its ARN); none for one that is not there."""
        iam = iam_backends[self.account]["aws"]
        name = arn.rpartition("/")[2]
        holder: Any = next(
            (each for each in (iam.roles.values() if ":role/" in arn else iam.users.values()) if each.arn == arn), None
        )
        if holder is None:
            return []
        inline = holder.policies.items()
        found = [each for policy, document in inline for each in statements(_text(document), f"{name}/{policy}")]
        for managed in holder.managed_policies.values():
            version = next(each for each in managed.versions if each.is_default)
            found += statements(_text(version.document), f"{name}/{managed.name}")
        return found

    def trust(self, role: str) -> Sequence[Statement]:
        """The statements that say who may assume a role (its ARN)."""
        found = next((each for each in iam_backends[self.account]["aws"].roles.values() if each.arn == role), None)
        if found is None:
            return ()
        return statements(_text(found.assume_role_policy_document), f"{found.name}/trust")

    def policy(self, arn: str) -> Sequence[Statement]:
        """The statements of a resource's own policy; none for a resource without one, or that is not there."""
        service, name = arn.split(":")[2], arn.split(":", 5)[5]
        document: Any = None
        match service:
            case "s3":
                bucket = self._s3.buckets.get(name.partition("/")[0])
                document = bucket.policy if bucket is not None else None
            case "sns":
                topic = sns_backends[self.account][self.region].topics.get(arn)
                document = topic.policy if topic is not None else None
            case "sqs":
                queue = sqs_backends[self.account][self.region].queues.get(name)
                document = queue.policy if queue is not None else None
            case "kms":
                key = self.key(arn)
                document = key.policy if key is not None else None
            case "lambda":
                document = self._function_policy(arn)
            case "secretsmanager":
                secret = secretsmanager_backends[self.account][self.region].secrets.get(arn)
                document = getattr(secret, "policy", None)
        return statements(_text(document), arn.replace(f":{self.account}:", "::", 1)) if document else ()

    def key(self, name: str | None) -> Any:
        """moto's key by its id, ARN or alias; None for none, and for one that is not there."""
        if not name:
            return None
        keys = kms_backends[self.account][self.region]
        if "alias/" in name:
            name = keys.get_key_id_from_alias(name[name.index("alias/") :]) or ""
        return keys.keys.get(name.rpartition("/")[2])

    def key_arn(self, name: str | None) -> str | None:
        """The ARN of a customer's key; None for a key that AWS keeps, and which everyone of the account may use.

        A key that is not here (somebody else's) is told by its own name.
        """
        if not name or "alias/aws/" in name:
            return None
        key = self.key(name)
        if key is None:
            return name
        # moto calls the keys that AWS keeps for its services a customer's, too; their aliases tell.
        return None if any(each.startswith("alias/aws/") for each in key.aliases) else str(key.arn)

    def bucket_key(self, bucket_name: str) -> str | None:
        """The key by which a bucket encrypts what is put into it."""
        bucket = self._s3.buckets.get(bucket_name)
        rule = ((bucket.encryption if bucket is not None else None) or {}).get("Rule", {})
        default = (rule[0] if isinstance(rule, list) and rule else rule or {}).get(
            "ApplyServerSideEncryptionByDefault", {}
        )
        return default.get("KMSMasterKeyID") if default.get("SSEAlgorithm") == "aws:kms" else None

    def object(self, bucket_name: str, key: str, version: str | None) -> Any:
        """moto's object; None for one that is not there, or was deleted."""
        bucket = self._s3.buckets.get(bucket_name)
        if bucket is None:
            return None
        found = (
            next((each for each in bucket.keys.getlist(key, default=[]) if str(each.version_id) == version), None)
            if version
            else bucket.keys.get(key)
        )
        return found if hasattr(found, "kms_key_id") else None

    def has_bucket(self, name: str) -> bool:
        return name in self._s3.buckets

    def table_key(self, table: str) -> str | None:
        """The key that encrypts a table."""
        found = dynamodb_backends[self.account][self.region].tables.get(table)
        specification = (found.sse_specification if found is not None else None) or {}
        return specification.get("KMSMasterKeyId")

    def hash_key(self, table: str, index: str | None = None) -> str | None:
        """The name of a table's hash key, or of one of its indexes'."""
        found = dynamodb_backends[self.account][self.region].tables.get(table)
        if found is None or not index:
            return found.hash_key_attr if found is not None else None
        schemas = (each.schema for each in (*found.global_indexes, *found.indexes) if each.name == index)
        return next((each["AttributeName"] for each in next(schemas, ()) if each["KeyType"] == "HASH"), None)

    def topic_key(self, arn: str) -> str | None:
        topic = sns_backends[self.account][self.region].topics.get(arn)
        return topic.kms_master_key_id or None if topic is not None else None

    def queue_key(self, name: str) -> str | None:
        queue = sqs_backends[self.account][self.region].queues.get(name)
        return getattr(queue, "kms_master_key_id", None) or None

    def secret(self, name: str) -> tuple[str, str | None]:
        """A secret's ARN and its key."""
        secrets = secretsmanager_backends[self.account][self.region].secrets
        found: Any = secrets.get(name)
        return (found.arn, found.kms_key_id) if found is not None else (name, None)

    def machine_of_token(self, token: str) -> str:
        """The state machine that waits with a task token; `*` where none does."""
        for machine in stepfunctions_parser_backends[self.account][self.region].state_machines:
            executions: Iterable[Any] = machine.executions
            for execution in executions:
                environment = getattr(execution.exec_worker, "env", None)
                if environment is not None and environment.callback_pool_manager.get(token) is not None:
                    return str(machine.arn)
        return "*"

    def _function_policy(self, arn: str) -> dict[str, Any] | None:
        try:
            function = lambda_backends[self.account][self.region].get_function(arn)
        except Exception:
            return None
        told: Iterable[Any] = function.policy.statements if function.policy is not None else ()
        return {"Statement": list(told)} if told else None

    @functools.cached_property
    def _s3(self) -> Any:
        return s3_backends[self.account]["aws"]


def _text(document: Any) -> str:
    if isinstance(document, bytes):
        return document.decode()
    return document if isinstance(document, str) else json.dumps(document)
