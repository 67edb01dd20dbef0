"""InboxWatch: says what is wrong with an upload into the inbox that starts no run, or came too late for its run."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.states import inbox_watch

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """S3's `Object Created` event to `{"decision": "told" | "nothing"}`."""
    watched = inbox_watch.run(event, resources)
    if watched.decision == "told":
        logger.info("told", key=watched.key, notice_id=watched.notice_id)
    return watched.output()
