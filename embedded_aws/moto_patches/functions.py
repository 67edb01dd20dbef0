"""Lambda: what an invocation comes to, and what a function's configuration keeps."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

import moto.awslambda.models
import moto.awslambda.responses

from embedded_aws.lambdas.errors import InvokeRefused
from embedded_aws.moto_patches.hooks import Hooks
from embedded_aws.moto_patches.replacement import Replace


def run(replace: Replace, hooks: Hooks) -> None:
    """moto runs functions in Docker, or echoes the payload: https://docs.getmoto.org/en/latest/docs/services/lambda.html.
    It ignores the client context, tells handled errors only, and has the response limit wrong by 291,556 bytes."""

    def invoke(response: Any) -> tuple[int, dict[str, str], bytes]:
        name = unquote(response.path.rsplit("/", 2)[-2])
        qualifier = response.querystring.get("Qualifier", [None])[0]
        function = response.backend.get_function(name, qualifier)
        kind = response.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        try:
            if kind == "DryRun":
                return 204, {"status": "204"}, b""
            if kind == "Event":
                hooks.invoke_later(function, response.body)
                return 202, {"status": "202"}, b""
            answer = hooks.invoke(function, qualifier, response.headers, response.body)
        except InvokeRefused as refusal:
            return _refused_invocation(refusal)
        headers = {"content-type": "application/json", "x-amz-executed-version": answer.executed_version}
        if answer.is_error:
            headers["x-amz-function-error"] = "Unhandled"
        if response.headers.get("X-Amz-Log-Type") == "Tail":
            headers["x-amz-log-result"] = base64.b64encode(answer.log_tail).decode()
        return 200, headers, answer.payload

    def invoke_from_service(function: Any, body: str, _: Any, __: Any) -> bytes:
        hooks.invoke_later(function, body)  # what other services call, they call asynchronously
        return b""

    replace(moto.awslambda.responses.LambdaResponse, "invoke", invoke)
    replace(moto.awslambda.models.LambdaFunction, "invoke", invoke_from_service)


def keep_logging_config(replace: Replace) -> None:
    """moto drops a function's LoggingConfig, its log group and format
    (docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html)."""
    function_class = moto.awslambda.models.LambdaFunction

    def init(function: Any, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        original_init(function, account_id, spec, *args, **kwargs)
        function.logging_config = spec.get("LoggingConfig") or {}

    def update(function: Any, config_updates: dict[str, Any]) -> Any:
        if "LoggingConfig" in config_updates:
            function.logging_config = config_updates["LoggingConfig"]
        return original_update(function, config_updates)

    def configuration(function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        told: dict[str, Any] = original_configuration(function, *args, **kwargs)
        defaults = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
        return {**told, "LoggingConfig": {**defaults, **function.logging_config}}

    original_init = replace(function_class, "__init__", init)
    original_update = replace(function_class, "update_configuration", update)
    original_configuration = replace(function_class, "get_configuration", configuration)


def _refused_invocation(refusal: InvokeRefused) -> tuple[int, dict[str, str], bytes]:
    headers = {"status": str(refusal.status), "x-amzn-errortype": refusal.code, "content-type": "application/json"}
    return refusal.status, headers, json.dumps({"Type": "User", "message": refusal.message}).encode()
