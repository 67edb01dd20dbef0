"""What state machines evaluate and call."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import jsonata
import pytest
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_api_gateway import (
    StateTaskServiceApiGateway,
)
from moto.stepfunctions.parser.asl.jsonata.jsonata import encode_jsonata_variable_declarations, eval_jsonata_expression
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from embedded_aws.moto_patches import (
    expressions,
    maps,
    remembered,
    tasks,
)
from embedded_aws.tests.moto_canaries.moto_alone import REGION, canary_of, create_machine, end_of, start_execution

pytestmark = pytest.mark.prove


@canary_of(expressions.bring_evaluator)
def test_motos_jsonata_evaluator_is_none() -> None:
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        eval_jsonata_expression("1")


@canary_of(expressions.escape_variables)
def test_moto_does_not_escape_texts_in_variables() -> None:
    declared = encode_jsonata_variable_declarations({"$x": 'a "quoted" text'})
    with pytest.raises(Exception, match="quoted"):
        jsonata.Jsonata(f"({declared}$x)").evaluate(None)


@canary_of(expressions.name_failures)
def test_moto_calls_an_expression_that_fails_a_runtime_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ValueError("cannot be evaluated")

    monkeypatch.setattr(string_expression, "eval_jsonata_expression", fail)
    machine = create_machine(
        query_language="JSONata", Only={"Type": "Pass", "Output": "{% $number('x') %}", "End": True}
    )
    assert end_of(start_execution(machine))["error"] == "States.Runtime"


@canary_of(maps.name_reader_failures)
def test_moto_calls_items_that_cannot_be_read_a_runtime_error() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Arguments": {"Bucket": "none", "Key": "none"},
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Same",
        "States": {"Same": {"Type": "Pass", "End": True}},
    }
    each = {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor, "End": True}
    assert end_of(start_execution(create_machine(query_language="JSONata", Each=each)))["error"] == "States.Runtime"


@canary_of(maps.start_children_as_the_machines_role)
def test_moto_starts_the_children_of_a_map_with_nobody_s_rights() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {"Type": "Pass", "End": True}},
    }
    machine = create_machine(
        Each={"Type": "Map", "ItemProcessor": processor, "End": True}
    )  # its role is not even there
    assert end_of(start_execution(machine, input="[1]"))["status"] == "SUCCEEDED"


@canary_of(maps.fail_by_one_name)
def test_moto_lets_a_distributed_map_go_on_when_a_child_failed() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {"Type": "Fail", "Error": "OfTheChild"}},
    }
    machine = create_machine(Each={"Type": "Map", "ItemProcessor": processor, "End": True})
    assert end_of(start_execution(machine, input="[1]"))["status"] == "SUCCEEDED"


@canary_of(tasks.call_as_the_machines_role)
def test_moto_makes_a_new_client_with_a_fixed_key_for_each_call_of_a_machine() -> None:
    clients: list[Any] = [boto_client_for(region=REGION, service="sns") for _ in range(2)]
    assert clients[0] is not clients[1]
    assert clients[0]._get_credentials().access_key == "ak"


@canary_of(tasks.call_apis)
def test_invoking_an_api_from_a_state_asks_an_url_that_aws_does_not_have() -> None:
    url = StateTaskServiceApiGateway._invoke_url_of(
        {"ApiEndpoint": "http://api", "Stage": "v1", "Path": "runs"}  # type: ignore[typeddict-item]  # what is used
    )
    assert url == "http://api/v1/_user_request_/runs/"


@canary_of(tasks.call_apis)
def test_a_state_that_calls_an_api_keeps_two_arguments_and_breaks_on_an_error() -> None:
    assert {"invoke": {"ApiEndpoint", "Method"}} == StateTaskServiceApiGateway._SUPPORTED_API_PARAM_BINDINGS
    task = SimpleNamespace(_get_sfn_resource=lambda: "invoke", _get_sfn_resource_type=lambda: "apigateway")
    with pytest.raises(TypeError, match="env"):
        StateTaskServiceApiGateway._from_error(task, None, ValueError("no answer"))  # type: ignore[arg-type]  # stand-ins


@canary_of(remembered.syntax_of_machines)
def test_moto_parses_a_machine_s_definition_each_time() -> None:
    definition = json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}})
    first, second = (AmazonStateLanguageParser.parse(definition)[1] for _ in range(2))
    assert first is not second
