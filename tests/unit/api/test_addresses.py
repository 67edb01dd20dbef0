"""The header Location leads to the run, whatever stands before the API's own paths."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from tunedrop.api.context import Api

RUN = "/runs/sums-1"


class _App:
    """What Api reads of the application: the request that it serves."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.current_event = APIGatewayProxyEvent(event)


@pytest.mark.parametrize(
    ("resource", "called", "before"),
    [
        ("/runs", "https://id.execute-api.us-west-2.amazonaws.com/v1/runs", "/v1"),
        ("/runs", "https://id.execute-api.us-west-2.amazonaws.com/v1/runs/", "/v1"),
        ("/runs/{run_id}/stop", "https://id.execute-api.us-west-2.amazonaws.com/v1/runs/sums-1/stop", "/v1"),
        ("/runs", "https://tunedrop.example.org/runs", ""),
        ("/runs/{run_id}/stop", "https://tunedrop.example.org/ml/tuning/runs/sums-1/stop", "/ml/tuning"),
    ],
)
def test_a_client_that_follows_location_comes_to_the_run(resource: str, called: str, before: str) -> None:
    host, _, path = called.removeprefix("https://").partition("/")
    event = {"resource": resource, "path": "/" + path, "requestContext": {"path": "/" + path}}
    api = Api(_App(event), resources=None)  # type: ignore[arg-type]  # neither is asked for more
    assert urljoin(called, api.address(RUN)) == f"https://{host}{before}{RUN}"
