"""InboxWatch: says what is wrong with an upload into the inbox that starts no run, or came too late for its run."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop import identity
from tunedrop.resources import Resources
from tunedrop.run.inbox_watch import watch
from tunedrop.teams import Teams

logger = Logger()
resources = Resources()
teams = Teams.from_environment()
sns = boto3.client("sns")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """S3's `Object Created` event to `{"decision": "told" | "nothing"}`."""
    upload = identity.upload_of(event)
    if upload is None:
        raise identity.EventNotUnderstood(f"expected S3's `Object Created` event, got the keys {sorted(event)}")
    told = watch(upload, int(event["detail"]["object"].get("size", 0)), resources, teams)
    if told is None:
        return {"decision": "nothing"}
    sns.publish(TopicArn=os.environ["NOTICES_TOPIC"], **told)
    logger.info("told", key=upload.key, notice_id=identity.upload_notice_id(upload))
    return {"decision": "told"}
