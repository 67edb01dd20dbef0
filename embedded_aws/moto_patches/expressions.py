"""JSONata in state machines: evaluated, with variables of any text, failing as in AWS."""

from __future__ import annotations

from typing import Any

import moto.stepfunctions.parser.asl.eval.states
import moto.stepfunctions.parser.asl.eval.variable_store
import moto.stepfunctions.parser.asl.jsonata.jsonata as moto_jsonata
import moto.stepfunctions.parser.asl.jsonata.validations
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.string import string_expression

from embedded_aws import jsonata_values
from embedded_aws.moto_patches.replacement import Replace


def bring_evaluator(replace: Replace) -> None:
    """moto's JSONata evaluator is None: https://github.com/getmoto/moto/issues/10105."""
    for module in (
        moto_jsonata,
        string_expression,
        moto.stepfunctions.parser.asl.jsonata.validations,
    ):
        replace(module, "eval_jsonata_expression", jsonata_values.evaluate_jsonata)


def escape_variables(replace: Replace) -> None:
    """moto puts strings between quotes without escaping them, so a quote or a backslash in a variable breaks every
    expression; the same issue as above."""
    for module in (
        moto_jsonata,
        moto.stepfunctions.parser.asl.eval.states,
        moto.stepfunctions.parser.asl.eval.variable_store,
    ):
        replace(module, "encode_jsonata_variable_declarations", jsonata_values.declare_variables)


def name_failures(replace: Replace) -> None:
    """An expression that cannot be evaluated ends as States.Runtime in moto, in AWS as States.QueryEvaluationError
    (docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html)."""

    def evaluate(expression: Any, env: Any) -> None:
        try:
            original(expression, env)
        except FailureEventException:
            raise
        except Exception as error:
            raise jsonata_values.evaluation_failure(env, expression.expression, error) from error

    original = replace(string_expression.StringJSONata, "_eval_body", evaluate)
