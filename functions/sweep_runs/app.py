"""SweepRuns: finds runs whose end nobody saw, and what is held for nobody."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from tunedrop.resources import Resources
from tunedrop.run.sweep import sweep

logger = Logger()
resources = Resources()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Anything to the counts of `tunedrop.run.sweep.Swept`."""
    swept = asdict(sweep(resources))
    logger.info("swept", **swept)
    return swept
