"""A deployed stack, found by its outputs, and what a walk through it makes beside it: a queue, uploads."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

LOOK_SECONDS = 10
NEEDED_OUTPUTS = frozenset({"DatasetBucketName", "NoticesTopicArn", "OperationsTopicArn", "ApiUrl"})
API_TIMEOUT_SECONDS = 30


class StackNotFound(Exception):
    """There is no such stack here, or it is none of Tunedrop's."""


class DeployedStack:
    """The stack's outputs, clients for its Region, and the walk's own queue."""

    def __init__(self, name: str, region: str, api_url: str = "") -> None:
        self.name = name
        self._session = boto3.Session(region_name=region)
        self.region = region
        found = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        missing = sorted(NEEDED_OUTPUTS - set(self.outputs))
        if missing:
            raise StackNotFound(f"stack {name} in {region} has no outputs {', '.join(missing)}: is it Tunedrop's?")
        self.api_url = (api_url or self.outputs["ApiUrl"]).rstrip("/")

    def client(self, service: str) -> Any:
        """A client of boto3 for the stack's Region."""
        return self._session.client(service)  # type: ignore[call-overload]  # the name is a variable

    def listen(self) -> tuple[str, str]:
        """A queue of the walk's own that gets every notice; its URL and the subscription's ARN."""
        sqs, topic = self.client("sqs"), self.outputs["NoticesTopicArn"]
        url = sqs.create_queue(QueueName=f"{self.name}-accept-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscribed = self.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )
        return url, str(subscribed["SubscriptionArn"])

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """The notices that came since the last look; each is taken out of the queue."""
        sqs = self.client("sqs")
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        notices = []
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            notices.append(json.loads(json.loads(message["Body"])["Message"]))
        return notices

    def drop(self, name: str, files: Mapping[str, bytes]) -> None:
        """Upload a dataset into the inbox, train.jsonl last."""
        for file_name in sorted(files, key=lambda each: each == "train.jsonl"):
            self.client("s3").put_object(
                Bucket=self.outputs["DatasetBucketName"], Key=f"inbox/{name}/{file_name}", Body=files[file_name]
            )

    def remove_upload(self, name: str) -> int:
        """Delete every version of what was dropped as `name`; how many there were."""
        bucket, removed = self.outputs["DatasetBucketName"], 0
        pages = self.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"inbox/{name}/")
        for page in pages:
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                self.client("s3").delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
                removed += 1
        return removed

    def ask_api(self, path: str) -> Any:
        """The document that the API has at `path`, asked for with the walk's own credentials."""
        request = AWSRequest("GET", self.api_url + path, headers={"Accept": "application/json"})
        credentials = self._session.get_credentials()
        if credentials is None:
            raise StackNotFound("there are no credentials in this shell to ask the API with")
        SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        wanted = Request(self.api_url + path, headers=dict(request.headers.items()))  # noqa: S310 - the stack's output
        with urlopen(wanted, timeout=API_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            return json.loads(answer.read())
