"""How a Map state reads its items."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (
    ResourceEvalS3,
)

from local.aws.moto_patches.replacement import Replace


def name_reader_failures(replace: Replace) -> None:
    """Items that cannot be read end a Map as States.Runtime in moto, which nothing retries; in AWS as
    States.ItemReaderFailed (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

    def read(reader: Any, env: Any) -> None:
        try:
            original(reader, env)
        except (BotoCoreError, ClientError) as error:
            name = StatesErrorName(typ=StatesErrorNameType.StatesItemReaderFailed)
            details: Any = {"mapRunFailedEventDetails": {"error": name.error_name, "cause": str(error)}}
            raise FailureEventException(
                FailureEvent(env=env, error_name=name, event_type=HistoryEventType.MapRunFailed, event_details=details)
            ) from error

    original = replace(ResourceEvalS3, "eval_resource", read)
