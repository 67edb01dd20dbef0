"""The application's own template can be deployed on one machine, whole."""

from __future__ import annotations

import pytest

from embedded_aws import EmbeddedAws, deploy
from local.stack import LAYERS, TEMPLATE


@pytest.mark.prove
def test_the_applications_template_is_deployed_with_all_its_resources(aws: EmbeddedAws) -> None:
    deployment = deploy(aws, TEMPLATE, stack_name="tunedrop", built=LAYERS)
    outputs = deployment.outputs
    described = aws.client("stepfunctions").describe_state_machine(stateMachineArn=outputs["PipelineArn"])
    assert "${" not in described["definition"]
    graders = {name: arn for name, arn in outputs.items() if name.startswith("Grader") and name.endswith("Arn")}
    assert set(graders) == {"GraderPlainArn", "GraderCodeArn", "GraderJudgeArn", "GraderOwnArn"}
    for arn in graders.values():
        configuration = aws.client("lambda").get_function_configuration(FunctionName=arn)
        assert configuration["Version"] == "1"
    rules = aws.client("events").list_rules()["Rules"]
    assert all(aws.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"] for rule in rules)
