"""A deployed stack, found by its outputs, and what a walk through it makes beside it: a queue, uploads."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

LOOK_SECONDS = 10
NEEDED_OUTPUTS = frozenset({"DatasetBucketName", "NoticesTopicArn", "OperationsTopicArn", "ParameterPath", "ApiUrl"})
API_TIMEOUT_SECONDS = 30


class StackNotFound(Exception):
    """There is no such stack here, or it is none of Tunedrop's."""


class ApiUnreachable(Exception):
    """The API cannot be asked, or takes no upload."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: its status and its document."""

    status: int
    body: Any

    def wanted(self, status: int) -> Any:
        """The document of an answer that has this status. Raises ApiUnreachable for another one."""
        if self.status != status:
            raise ApiUnreachable(f"expected HTTP {status} of the API, got {self.status}: {json.dumps(self.body)[:500]}")
        return self.body


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

    def queue(self) -> str:
        """A queue of the walk's own, which both topics may write to; its URL."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"{self.name}-accept-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self._arn(url)
        topics = [self.outputs["NoticesTopicArn"], self.outputs["OperationsTopicArn"]]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topics}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return str(url)

    def subscribe(self, queue_url: str, topic: str) -> str:
        """Have the topic of an output write to the queue; the subscription's ARN."""
        subscribed = self.client("sns").subscribe(
            TopicArn=self.outputs[topic], Protocol="sqs", Endpoint=self._arn(queue_url), ReturnSubscriptionArn=True
        )
        return str(subscribed["SubscriptionArn"])

    def _arn(self, queue_url: str) -> str:
        told = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        return str(told["Attributes"]["QueueArn"])

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """The notices and alarms that came since the last look; each is taken out of the queue."""
        sqs = self.client("sqs")
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        notices = []
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            text = json.loads(message["Body"])["Message"]
            if text.startswith("{"):
                notices.append(json.loads(text))
        return notices

    def drop(self, name: str, files: Mapping[str, bytes]) -> None:
        """Upload a dataset into the inbox, train.jsonl last."""
        for file_name in sorted(files, key=lambda each: each == "train.jsonl"):
            self.client("s3").put_object(
                Bucket=self.outputs["DatasetBucketName"], Key=f"inbox/{name}/{file_name}", Body=files[file_name]
            )

    def remove(self, prefix: str) -> None:
        """Delete every version of what lies below a prefix of the dataset bucket."""
        bucket = self.outputs["DatasetBucketName"]
        for page in self.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                self.client("s3").delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])

    def ask_api(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """What the API answers to a request that is signed with the walk's own credentials."""
        data = None if body is None else json.dumps(body)
        request = AWSRequest(
            method,
            self.api_url + path,
            data=data,
            headers={"Accept": "application/json", "Content-Type": "application/json", **headers},
        )
        credentials = self._session.get_credentials()
        if credentials is None:
            raise ApiUnreachable("there are no credentials in this shell to ask the API with")
        SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        try:
            answer = urllib3.request(
                method,
                self.api_url + path,
                body=data,
                headers=dict(request.headers.items()),
                timeout=API_TIMEOUT_SECONDS,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiUnreachable(f"{self.api_url}{path} gave no answer: {error}") from error
        try:
            document = json.loads(answer.data)
        except ValueError:
            document = answer.data.decode(errors="replace")[:500]
        return Answer(answer.status, document)

    def upload(self, rows: bytes) -> tuple[str, str]:
        """Upload a file by the API's link; the upload's id, and its key in the dataset bucket."""
        place = self.ask_api("POST", "/uploads", {"bytes": len(rows)}).wanted(201)
        try:
            answer = urllib3.request(
                "PUT",
                place["url"],
                body=rows,
                headers=place["headers"],
                timeout=API_TIMEOUT_SECONDS,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiUnreachable(f"{place['uri']} took no upload: {error}") from error
        if answer.status >= 300:
            raise ApiUnreachable(f"S3 took no upload: HTTP {answer.status}: {answer.data[:300]!r}")
        return str(place["upload_id"]), str(place["uri"]).removeprefix("s3://").partition("/")[2]
