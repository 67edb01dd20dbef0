"""How a run begins: its record, owned by the execution that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tunedrop import clock, identity
from tunedrop.outcomes import Status
from tunedrop.run.record import RunRecord
from tunedrop.teams import Teams

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def begin_execution(run_id: str, client: SFNClient, pipeline_arn: str) -> None:
    """Start the execution of a run that was registered before; one that runs, or has run, is left as it is."""
    with suppress(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=pipeline_arn, name=run_id, input=json.dumps({"run_id": run_id}))


def new_record(
    run_id: str, execution_input: Mapping[str, Any], execution_arn: str, started_at: str, teams: Teams
) -> RunRecord:
    """The record of a run that an execution begins; its team by its dataset's name."""
    name, source = run_id, {"kind": "call"}
    upload = identity.upload_of(execution_input)
    if upload is not None:
        name = identity.dataset_name(upload.key)
        source = {"kind": "upload", **asdict(upload)}
    return RunRecord(
        run_id=run_id,
        name=name,
        team=teams.of_dataset_name(name),
        execution_arn=execution_arn,
        status=Status.RUNNING,
        started_at=clock.text(clock.parse(started_at)),
        updated_at=clock.now_text(),
        source=source,
    )
