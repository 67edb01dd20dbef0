"""JSONata for the state machines: by jsonata-python, with variables written into the expressions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonata
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.utils.encoding import _DateTimeEncoder


def evaluate_jsonata(expression: str) -> Any:
    """The value of a JSONata expression that declares its own variables. Raises jsonata's JException."""
    return jsonata.Jsonata(expression).evaluate(None)


def declare_variables(bindings: Mapping[str, Any]) -> str:
    """`$name:=<value as JSON>;` for each variable; JSON is JSONata, and characters stay themselves: jsonata-python
    would read an escaped pair of surrogates as two characters."""
    return "".join(
        f"{name}:={json.dumps(value, cls=_DateTimeEncoder, ensure_ascii=False, separators=(',', ':'))};"
        for name, value in bindings.items()
    )


def evaluation_failure(env: Any, expression: str, error: Exception) -> FailureEventException:
    """What moto's interpreter ends a state with when the expression cannot be evaluated."""
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    cause = f"The JSONata expression '{expression}' failed: {error}"
    details: Any = {"evaluationFailedEventDetails": {"error": name.error_name, "cause": cause}}
    return FailureEventException(
        FailureEvent(env=env, error_name=name, event_type=HistoryEventType.EvaluationFailed, event_details=details)
    )
