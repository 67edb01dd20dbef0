"""Two teams and their clients: each signs as botocore does, with credentials of a role of its own."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from embedded_aws.lambdas.configuration import FunctionConfiguration
from embedded_aws.lambdas.errors import InvokeRefused
from embedded_aws.lambdas.process import Invocation
from embedded_aws.waiting import until
from local.stack import LocalStack

ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The kind of the problem that was answered."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        document = self.json
        assert document["status"] == self.status
        assert document["title"]
        return str(document["type"]).removeprefix("urn:tunedrop:problem:")


@dataclass(frozen=True, slots=True)
class Client:
    """Someone who calls the API; without `credentials` nothing is signed."""

    url: str
    credentials: Credentials | None = None
    region: str = "us-west-2"

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes = b"",
        afterwards: Mapping[str, str] | None = None,
        sent_instead: bytes | None = None,
    ) -> Answer:
        """One request. `afterwards` and `sent_instead` change headers and body after they were signed."""
        data = json.dumps(body).encode() if body is not None else raw
        request = AWSRequest(
            method, self.url + path, data=data, headers={"Content-Type": "application/json", **(headers or {})}
        )
        if self.credentials is not None:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        signed = {**dict(request.headers.items()), **(afterwards or {})}
        return _exchange(method, self.url + path, data if sent_instead is None else sent_instead, signed)

    def get(self, path: str) -> Any:
        """The document at `path`."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def start(self, body: Mapping[str, Any], key: str | None = None) -> Answer:
        """POST /runs, with a new key where none is given."""
        return self.ask("POST", "/runs", body, headers={"Idempotency-Key": key or uuid.uuid4().hex})

    def upload(self, content: bytes) -> str:
        """Upload a file as POST /uploads says; its upload_id."""
        made = self.ask("POST", "/uploads", {"bytes": len(content)})
        assert made.status == 201, made.body
        assert put_file(made.json["url"], made.json["headers"], content) == 200
        return str(made.json["upload_id"])


def put_file(url: str, headers: Mapping[str, str], content: bytes) -> int:
    """Send a file to an upload's link; the status."""
    return _exchange("PUT", url, content, headers).status


def _exchange(method: str, url: str, data: bytes, headers: Mapping[str, str]) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, url.partition(parts.netloc)[2], data, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


@dataclass
class Service:
    """The application with its API, two teams, and a subscriber to all notices."""

    stack: LocalStack
    queue_url: str
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the stack has ended: what is held gives up."""
    notices: list[dict[str, Any]] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    """Those that are there, once they have been listed."""

    def client(self, role: str) -> Client:
        """A client of a new session of the role, which may call APIs, and nothing else."""
        iam = self.stack.aws.client("iam")
        if not self.roles:
            self.roles |= {each["RoleName"] for each in iam.list_roles()["Roles"]}
        if role not in self.roles:
            self.roles.add(role)
            principal = {"AWS": ACCOUNT, "Service": "states.amazonaws.com"}
            statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
            trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
            call = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [call]})
            iam.put_role_policy(RoleName=role, PolicyName="api", PolicyDocument=policy)
        issued = self.stack.aws.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName=f"s-{uuid.uuid4().hex[:6]}"
        )["Credentials"]
        credentials = Credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
        return Client(self.stack.api_url, credentials)

    def hold(self) -> None:
        """From now on no run whose name begins with `held` gets beyond its registration."""
        self.hold_at("RegisterRun", b'"run_id":"held')

    def hold_at(self, function: str, marker: bytes = b"") -> None:
        """From now on the function does not begin with an event that contains the marker, until the stack ends."""

        def wait(_: FunctionConfiguration, invocation: Invocation) -> None:
            if marker in invocation.event.replace(b" ", b""):
                self.over.wait()
                raise InvokeRefused("TooManyRequestsException", "Rate Exceeded.", 429)

        self.stack.aws.functions.faults.before(self.stack.resources[function], wait, times=10**9)

    @cached_property
    def red(self) -> Client:
        return self.client("red-pipeline")

    @cached_property
    def blue(self) -> Client:
        return self.client("blue-pipeline")

    @property
    def stranger(self) -> Client:
        return Client(self.stack.api_url)

    def ended(self, client: Client, run_id: str) -> dict[str, Any]:
        """The run, once it has ended."""

        def over() -> Any:
            run = client.get(f"/runs/{run_id}")
            return run if run["status"] != "RUNNING" else None

        run: dict[str, Any] = until(over, f"the end of {run_id}")
        return run

    def told(self, **wanted: Any) -> list[dict[str, Any]]:
        """The notices that have come so far with these members."""
        sqs = self.stack.aws.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                self.notices.append(json.loads(json.loads(message["Body"])["Message"]))
        return [each for each in self.notices if all(each.get(name) == value for name, value in wanted.items())]
