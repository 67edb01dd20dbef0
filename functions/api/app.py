"""Api: answers the requests of other teams."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.api.application import build
from tunedrop.resources import Resources

logger = Logger()
app = build(Resources())


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway's proxy event to its answer; what goes wrong is a problem document."""
    return app.resolve(event, context)
