"""What AWS's services do to a state has a name: what passes is tried again, and what does not ends the run."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from tunedrop.outcomes import DatasetInvalid, DiskFull, ServiceBusy
from tunedrop.service_faults import named_faults

FUNCTIONS = Path(__file__).parents[3] / "functions"
OF_THE_MACHINES = (
    "register_run",
    "resolve_inputs",
    "validate_dataset",
    "rehearse_grader",
    "submit_job",
    "poll_job",
    "plan_evaluation",
    "evaluate_shard",
    "conclude_run",
    "release_run",
)
URL = "https://dynamodb.us-west-2.amazonaws.com"


def failing(error: Exception) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    @named_faults
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        raise error

    return handler


def answered(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "UpdateItem")  # type: ignore[typeddict-item] # its other members are of no use here


@pytest.mark.parametrize(
    "fault",
    [
        answered("InternalServerError", 500),
        answered("ServiceUnavailable", 503),
        answered("SlowDown", 503),
        answered("ThrottlingException", 400),
        answered("ProvisionedThroughputExceededException", 400),
        answered("429", 429),
        exceptions.ConnectionClosedError(endpoint_url=URL),
        exceptions.EndpointConnectionError(endpoint_url=URL),
        exceptions.ReadTimeoutError(endpoint_url=URL),
        exceptions.ConnectTimeoutError(endpoint_url=URL),
        exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        exceptions.ResponseStreamingError(error="cut"),
    ],
    ids=lambda fault: type(fault).__name__ if not isinstance(fault, ClientError) else fault.response["Error"]["Code"],
)
def test_what_passes_is_tried_again(fault: Exception) -> None:
    with pytest.raises(ServiceBusy, match="AWS could not be asked: ") as raised:
        failing(fault)({}, None)
    assert raised.value.__cause__ is fault


@pytest.mark.parametrize(
    "fault",
    [
        answered("AccessDeniedException", 400),
        answered("LimitExceededException", 400),
        answered("ConditionalCheckFailedException", 400),
        exceptions.NoCredentialsError(),
        DatasetInvalid("line 3"),
        KeyError("run_id"),
        FileNotFoundError(errno.ENOENT, "gone"),
    ],
    ids=repr,
)
def test_what_does_not_pass_is_left_as_it_is(fault: Exception) -> None:
    with pytest.raises(type(fault)) as raised:
        failing(fault)({}, None)
    assert raised.value is fault


def test_a_full_disk_says_what_to_do() -> None:
    with pytest.raises(DiskFull, match="EphemeralStorage"):
        failing(OSError(errno.ENOSPC, "No space left on device"))({}, None)


@pytest.mark.parametrize("function", OF_THE_MACHINES)
def test_every_function_of_the_machines_names_its_faults(function: str) -> None:
    assert "@named_faults\ndef handler(" in (FUNCTIONS / function / "app.py").read_text()
