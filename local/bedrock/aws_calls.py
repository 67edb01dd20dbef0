"""What the local Bedrock asks of AWS on the caller's behalf: invoke the grader's function, read a dataset from S3."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.bedrock.grading import GraderFailed

_LONGEST_LAMBDA_SECONDS = 900  # Lambda's own limit of a function's timeout
_MOST_AT_ONCE = 16


class AwsCalls:
    """Calls to the embedded AWS by boto3, in threads. boto3 takes longer to load than the server: on first use."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="aws")
        self._clients: dict[tuple[str, str, str | None], Any] = {}

    async def invoke(self, arn: str, payload: bytes, access_key: str | None) -> bytes:
        """The payload that a function answers. Raises GraderFailed where it cannot be called, or failed."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._invoke, arn, payload, access_key)

    async def function_exists(self, arn: str) -> bool:
        """Whether the function, in the version that the ARN names, is there."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._exists, arn)

    async def read_object(self, uri: str, region: str, access_key: str | None) -> bytes:
        """The bytes of `s3://bucket/key`. Raises FileNotFoundError, with the reason, where it cannot be read."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, uri, region, access_key)

    def _invoke(self, arn: str, payload: bytes, access_key: str | None) -> bytes:
        import botocore.exceptions

        try:
            answer = self._client("lambda", arn.split(":")[3], access_key).invoke(
                FunctionName=arn, InvocationType="RequestResponse", Payload=payload
            )
            body: bytes = answer["Payload"].read()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as problem:
            raise GraderFailed(f"{arn} could not be invoked: {problem}") from problem
        if answer.get("FunctionError"):
            raise GraderFailed(f"{arn} raised an error: {body[:300].decode(errors='replace')}")
        return body

    def _exists(self, arn: str) -> bool:
        import botocore.exceptions

        try:
            self._client("lambda", arn.split(":")[3], None).get_function_configuration(FunctionName=arn)
        except botocore.exceptions.ClientError:
            return False
        return True

    def _read(self, uri: str, region: str, access_key: str | None) -> bytes:
        import botocore.exceptions

        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            body: bytes = self._client("s3", region, access_key).get_object(Bucket=bucket, Key=key)["Body"].read()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as problem:
            raise FileNotFoundError(f"{uri} cannot be read: {problem}") from problem
        return body

    def _client(self, service: str, region: str, access_key: str | None) -> Any:
        """A client with someone's rights, or with this process's own: the embedded AWS knows a caller by the key."""
        import boto3
        import botocore.config

        if (service, region, access_key) not in self._clients:
            session = boto3.Session(
                aws_access_key_id=access_key or os.environ.get("AWS_ACCESS_KEY_ID", "local"),
                aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "local"),
                aws_session_token=os.environ.get("AWS_SESSION_TOKEN"),
                region_name=region,
            )
            config = botocore.config.Config(
                read_timeout=_LONGEST_LAMBDA_SECONDS + 5,
                retries={"total_max_attempts": 1},
                max_pool_connections=_MOST_AT_ONCE,
                s3={"addressing_style": "path"},
            )
            new: Any = session.client
            self._clients[service, region, access_key] = new(service, endpoint_url=self._endpoint, config=config)
        return self._clients[service, region, access_key]
