"""How requests reach services, and what CloudFormation tells of stacks."""

from __future__ import annotations

import json
from typing import Any

import moto.backends
import moto.core.errors
import moto.core.responses
import moto.s3.notifications
import moto.s3.responses
import moto.stepfunctions.models
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import NotFound

from embedded_aws.moto_patches import (
    calls,
    cloudformation,
    remembered,
    s3,
)
from embedded_aws.tests.moto_canaries.moto_alone import canary_of, client, create_bucket

pytestmark = pytest.mark.prove


@canary_of(remembered.services_of_hosts)
def test_moto_looks_for_a_host_s_service_in_its_folder_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look() -> list[str]:
        looked.append("looked")
        return []

    monkeypatch.setattr(moto.backends, "list_of_moto_modules", look)
    dispatcher = DomainDispatcherApplication(create_backend_app)
    assert [dispatcher.get_backend_for_host("sqs.us-west-2.amazonaws.com") for _ in range(2)] == ["sqs", "sqs"]
    assert len(looked) == 2


@canary_of(s3.take_any_key)
def test_moto_takes_no_key_with_a_line_feed() -> None:
    routes = create_backend_app("s3").url_map.bind("localhost")
    assert routes.match("/bucket/key", method="PUT")
    with pytest.raises(NotFound):
        routes.match("/bucket/line\nfeed", method="PUT")


QUEUE_AND_POLICY = json.dumps(
    {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Queue"}],
                    "PolicyDocument": {
                        "Statement": [
                            {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
                        ]
                    },
                },
            },
        }
    }
)


def resources_of(stacks: Any, name: str) -> list[str]:
    assert stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    listed = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return [each["LogicalResourceId"] for each in listed]


@canary_of(cloudformation.tell_of_stacks)
def test_moto_creates_a_stack_without_what_it_does_not_know() -> None:
    stacks = client("cloudformation")
    stacks.create_stack(StackName="stack", TemplateBody=QUEUE_AND_POLICY)
    assert "Policy" not in resources_of(stacks, "stack")


@canary_of(cloudformation.deploy_stacks)
def test_moto_executes_a_change_set_without_what_it_does_not_know() -> None:
    stacks = client("cloudformation")
    asked = {"StackName": "stack", "ChangeSetName": "made"}
    stacks.create_change_set(**asked, TemplateBody=QUEUE_AND_POLICY, ChangeSetType="CREATE")
    stacks.execute_change_set(**asked)
    assert "Policy" not in resources_of(stacks, "stack")


@canary_of(calls.watch)
def test_every_call_still_goes_through_the_places_that_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watch(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(response: Any, *args: Any) -> Any:
            seen.append(name)
            return original(response, *args)

        monkeypatch.setattr(owner, name, call)

    watch(moto.core.responses.BaseResponse, "call_action")
    watch(moto.s3.responses.S3Response, "_bucket_response")
    watch(moto.s3.responses.S3Response, "_key_response")
    create_bucket().put_object(Bucket="bucket", Key="key", Body=b"")
    client("sqs").list_queues()
    client("dynamodb").list_tables()
    client("iam").list_roles()
    client("lambda").list_functions()
    assert seen == ["_bucket_response", "_key_response", *["call_action"] * 4]


@canary_of(calls.watch)
def test_moto_takes_a_refusal_for_an_error_that_no_service_has() -> None:
    assert not {"AccessDenied", "AccessDeniedException"} & set(moto.core.errors.COMMON_ERROR_CODES)
