"""The embedded AWS: moto's APIs on one loopback port, with functions, machines and events that really run."""

from __future__ import annotations

import atexit
import base64
import datetime
import importlib.util
import json
import logging
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from botocore.credentials import Credentials
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.events.models import events_backends
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.sts.models import sts_backends
from werkzeug.serving import BaseWSGIServer, make_server

from embedded_aws.calls import Calls, call_of
from embedded_aws.clients import DEVELOPER, Clients
from embedded_aws.deployed_stack import DeployedStack
from embedded_aws.events.dispatch import FIRST_RETRY_SECONDS, Dispatch, RuleView
from embedded_aws.events.schedule import Schedules
from embedded_aws.events.service_events import execution_event, object_event
from embedded_aws.gateway import callers, state_machine_calls
from embedded_aws.gateway.signed_elsewhere import wrong_in
from embedded_aws.identities import Identities
from embedded_aws.lambdas.embedded_metrics import metrics_in
from embedded_aws.lambdas.errors import InvokeRefused
from embedded_aws.lambdas.pool import CONCURRENCY_LIMIT, WARM_LIMIT
from embedded_aws.lambdas.process import client_context_text
from embedded_aws.lambdas.service import (
    ASYNC_RETRY_SECONDS,
    Answer,
    Archive,
    FunctionVersion,
    LambdaService,
    event_bytes,
)
from embedded_aws.mail import Mail
from embedded_aws.moto_patches import Hooks, Patches
from embedded_aws.permissions.desk import Desk
from embedded_aws.permissions.enforcement import Permissions
from embedded_aws.s3.signers import Signer
from embedded_aws.stubs import WithoutStubs
from embedded_aws.wire import Handler, Wire

ACCOUNT = "123456789012"
"""moto's own account; every access key that it does not know belongs to it."""

_running: list[EmbeddedAws] = []
_running_lock = threading.Lock()


class EmbeddedAws:
    """AWS on one machine, for one region. Use as a context manager, or `start` and `close`; everything ends with it.

    moto keeps its state in the process, so one embedded AWS runs at a time; each starts empty.

    `folder` holds the functions' logs (`logs/<function>.log`) and scratch files; without it a temporary folder does,
    which is removed on close. `code_folder` keeps unpacked functions and layers; given one that lasts, later starts are
    faster. `runtime` is the folder of the packages that Lambda itself brings, with AWS's runtime client (awslambdaric);
    without it, the folder where awslambdaric is installed for this interpreter.
    `stepped_schedules`: schedules fire by `schedules.step` alone.
    `async_retry_seconds` and `first_event_retry_seconds` are the delays before an asynchronous invocation and an
    event's delivery are tried again; `retry_delay_factor` shortens those of events and of states, `wait_factor` the
    state machines' Wait states. `imported_early` names modules of layers and of the runtime: one process imports them,
    as far as it can, and each function's process begins as a fork of it, which makes cold starts much faster. They must
    read no variable of a function when they are imported. Without it each process begins as in Lambda.
    """

    def __init__(
        self,
        *,
        region: str = "us-west-2",
        port: int = 0,
        folder: Path | None = None,
        code_folder: Path | None = None,
        runtime: Path | None = None,
        stepped_schedules: bool = False,
        warm_limit: int = WARM_LIMIT,
        concurrency_limit: int = CONCURRENCY_LIMIT,
        async_retry_seconds: tuple[float, float] = ASYNC_RETRY_SECONDS,
        first_event_retry_seconds: float = FIRST_RETRY_SECONDS,
        retry_delay_factor: float = 1.0,
        wait_factor: float = 1.0,
        imported_early: Sequence[str] = (),
    ) -> None:
        runtime = runtime or _installed_runtime()
        if not (runtime / "awslambdaric").is_dir():
            raise FileNotFoundError(f"{runtime} has no awslambdaric, AWS's Lambda runtime client")
        self.region = region
        self.account = ACCOUNT
        self._port = port
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="embedded-aws-"))
        self.calls = Calls()
        self.mail = Mail()
        self.identities = Identities(self._assume)
        self.permissions = Permissions(ACCOUNT, region, self.identities)
        self.apis: dict[str, str] = {}
        """The URLs, without a stage, at which REST APIs are served, by their ids; front ends write themselves in."""
        self.stacks: dict[str, DeployedStack] = {}
        """What has been deployed, by the stack's name; deployments write themselves in."""
        self.deployer: Callable[[str, str, Mapping[str, str]], DeployedStack] = _no_deployer
        """What CloudFormation deploys with: a stack's name, its template, its parameters. Raises ValueError: why not.

        The first deployment writes it in."""
        self._clients = Clients(region, lambda: self.endpoint, self.identities)
        self._server: BaseWSGIServer | None = None
        self._serving: threading.Thread | None = None
        self.functions = LambdaService(
            folder=self.folder,
            runtime=runtime,
            code_folder=code_folder or self.folder / "code",
            region=region,
            endpoint=lambda: self.endpoint,
            identities=self.identities,
            write_events=self._write_log_events,
            warm_limit=warm_limit,
            concurrency_limit=concurrency_limit,
            async_retry_seconds=async_retry_seconds,
            imported_early=imported_early,
        )
        self.dispatch = Dispatch(
            rules=self._rules,
            client=self.client_as,
            permissions=self.permissions,
            account=ACCOUNT,
            region=region,
            first_retry_seconds=first_event_retry_seconds,
            retry_delay_factor=retry_delay_factor,
        )
        self.schedules = Schedules(rules=self._rules, fire=self.dispatch.fire, stepped=stepped_schedules)
        self._patches = Patches(
            Hooks(
                region=region,
                stacks=lambda: self.stacks,
                deploy=lambda name, template, parameters: self.deployer(name, template, parameters),  # noqa: PLW0108 - a deployment replaces it
                find_signer=_signer,
                client=self.client_as,
                call_api=self._call_api,
                invoke=self._invoke,
                invoke_later=self._invoke_later,
                object_event=self._object_event,
                rule_event=lambda _, event: self.dispatch.publish(_with_iso_time(event)),
                execution_changed=self._execution_changed,
                retry_delay_factor=retry_delay_factor,
                wait_factor=wait_factor,
                called=self._called,
                permissions=self.permissions,
                mail=self.mail,
            )
        )

    @property
    def endpoint(self) -> str:
        """The URL of every API, as AWS_ENDPOINT_URL takes it. Raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the embedded AWS has not been started")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> EmbeddedAws:
        """Serves the APIs.

        Raises RuntimeError when another one runs in this process, OSError when the port is taken.
        """
        with _running_lock:
            if _running:
                raise RuntimeError(
                    "an embedded AWS runs in this process already: close it first (moto's state is the process's)"
                )
            listener = socket.create_server(("127.0.0.1", self._port))
            _running.append(self)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        # A state machine that fails is no fault of the interpreter: its history tells why.
        logging.getLogger("moto.stepfunctions.parser").setLevel(logging.CRITICAL)
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        _reset_moto()
        self._patches.apply()
        with listener:
            self._server = make_server(
                "127.0.0.1",
                0,
                Wire(
                    WithoutStubs(DomainDispatcherApplication(create_backend_app)),
                    self.calls,
                    Desk(
                        self.permissions,
                        self.identities,
                        lambda asked: wrong_in(asked, self.identities, self.region),
                    ),
                ),
                threaded=True,
                request_handler=Handler,
                fd=listener.fileno(),
            )
        self._serving = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._serving.start()
        self.schedules.start()
        atexit.register(self.close)
        return self

    def close(self) -> None:
        """Ends executions, deliveries and functions, then the server. Closing twice does nothing more."""
        with _running_lock:
            if self not in _running:
                return
            _running.remove(self)
        atexit.unregister(self.close)
        self.schedules.close()
        self.dispatch.close()
        self._abort_executions()
        self.functions.close()
        if self._server is not None and self._serving is not None:
            self._server.shutdown()
            self._serving.join()
            self._server.server_close()
        self._patches.undo()
        default_user_config["stepfunctions"] = {"execute_state_machine": False}
        _reset_moto()
        self._clients.close()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> EmbeddedAws:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def client(self, service: str) -> Any:
        """A boto3 client of the service as a developer of the account would have it."""
        return self._clients.get(service)

    def client_as(self, service: str, role: str) -> Any:
        """A boto3 client with credentials of the role (its ARN)."""
        return self._clients.get(service, role)

    def _assume(self, role: str, session: str) -> tuple[str, str, str]:
        assumed = sts_backends[ACCOUNT]["aws"].assume_role(
            region_name=self.region, role_session_name=session, role_arn=role, policy="", duration=43200, external_id=""
        )
        return assumed.access_key_id, assumed.secret_access_key, assumed.session_token

    def _called(self, action: str, response: Any) -> None:
        """Before each API call. Raises CallRefused for one that its caller may not make, or that a test refuses."""
        call = call_of(action, response, self.identities.of)
        self.permissions.check(call)
        self.calls.made(call)

    def _call_api(self, arguments: Mapping[str, Any], role: str) -> requests.Response:
        """What a state machine of the role gets from an API."""
        issued = self.identities.shared(role, "execute-api")
        credentials = Credentials(issued.access_key, issued.secret_key, issued.session_token)
        return state_machine_calls.call(arguments, self.apis, credentials=credentials, region=self.region)

    def _rules(self) -> Iterable[RuleView]:
        """The rules of the default bus, as moto holds them."""
        for rule in list(events_backends[ACCOUNT][self.region].event_buses["default"].rules.values()):
            yield RuleView(
                name=rule.name,
                arn=rule.arn,
                enabled=rule.state == "ENABLED",
                pattern=rule.event_pattern.get_pattern() or None,
                schedule=rule.scheduled_expression,
                targets=tuple(rule.targets),
            )

    def _object_event(self, bucket: Any, event_name: str, key: Any) -> None:
        event = object_event(bucket, event_name, key, account=ACCOUNT, region=self.region)
        if event is not None:
            self.dispatch.publish(event)

    def _execution_changed(self, execution: Any) -> None:
        self.dispatch.publish(execution_event(execution, account=ACCOUNT, region=self.region))

    def _abort_executions(self) -> None:
        for machine in stepfunctions_parser_backends[ACCOUNT][self.region].state_machines:
            for execution in machine.executions:
                execution.stop(None, None, "the embedded AWS was closed")

    def _invoke(self, function: Any, qualifier: str | None, headers: Mapping[str, str], body: str | bytes) -> Answer:
        arn = function_arn(function)
        context = headers.get("X-Amz-Client-Context")
        return self.functions.invoke(
            self.version_of(function),
            event_bytes(body),
            invoked_arn=f"{arn}:{qualifier}" if qualifier else function.function_arn,
            client_context=_decoded_context(context) if context else None,
        )

    def invoke(self, function_arn: str, event: Any) -> Answer:
        """Invokes a function (with its version or alias, where the ARN names one) as a service of AWS does.

        Raises InvokeRefused; for a function that does not exist with ResourceNotFoundException.
        """
        try:
            function = lambda_backends[ACCOUNT][self.region].get_function(function_arn)
        except UnknownFunctionException as error:
            raise InvokeRefused("ResourceNotFoundException", str(error), 404) from error
        return self.functions.invoke(self.version_of(function), json.dumps(event).encode(), invoked_arn=function_arn)

    def _invoke_later(self, function: Any, body: str | bytes) -> None:
        self.functions.invoke_later(self.version_of(function), event_bytes(body), invoked_arn=function.function_arn)

    def version_of(self, function: Any) -> FunctionVersion:
        """What runs when moto's function (a published version, or the latest) is invoked."""
        backend = lambda_backends[ACCOUNT][self.region]
        latest = backend.get_function(function.function_name)
        layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
        arn = function_arn(function)
        return FunctionVersion(
            name=function.function_name,
            version="$LATEST" if function.function_arn == arn else str(function.version),
            arn=arn,
            role=function.role,
            handler=function.handler,
            timeout_seconds=float(function.timeout),
            memory_mb=int(function.memory_size),
            environment=tuple(sorted(function.environment_vars.items())),
            code=Archive(function.code_bytes, function.code_sha_256),
            layers=tuple(Archive(layer.code_bytes, layer.code_sha_256) for layer in layers if layer is not None),
            log_group=function.logging_config.get("LogGroup", f"/aws/lambda/{function.function_name}"),
            log_format=function.logging_config.get("LogFormat", "Text"),
            reserved_concurrency=latest.reserved_concurrency,
        )

    def _write_log_events(self, role: str, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Writes a function's lines, with the rights of its role: without them the lines are lost, as on AWS."""
        where = f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"
        if not all(
            self.permissions.role_may(role, f"logs:{each}", where) for each in ("CreateLogStream", "PutLogEvents")
        ):
            return
        logs = logs_backends[ACCOUNT][self.region]
        logs.ensure_log_group(group)
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": moment, "message": line} for moment, line in events])
        for _, line in events:
            for namespace, data in metrics_in(line):
                self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def _installed_runtime() -> Path:
    """The folder in which AWS's Lambda runtime client is installed for this interpreter."""
    found = importlib.util.find_spec("awslambdaric")
    if found is None or found.origin is None:
        raise FileNotFoundError("AWS's Lambda runtime client is not installed: run `pip install awslambdaric`")
    return Path(found.origin).parents[1]


def function_arn(function: Any) -> str:
    """The ARN of moto's function without a version."""
    return ":".join(function.function_arn.split(":")[:7])


def _signer(access_key: str) -> Signer | None:
    """Whose access key it is: the account's, IAM's or STS's, or that of this process's own clients."""
    if access_key == DEVELOPER["aws_access_key_id"]:
        return Signer(DEVELOPER["aws_secret_access_key"], None)
    caller = callers.find(access_key, ACCOUNT)
    return None if caller is None else Signer(caller.secret_key, caller.session_token)


def _decoded_context(header: str) -> str:
    try:
        return client_context_text(base64.b64decode(header).decode())
    except ValueError as error:
        raise InvokeRefused(
            "InvalidRequestContentException", f"Client context must be a valid Base64-encoded JSON object: {error}", 400
        ) from error


def _with_iso_time(event: Mapping[str, Any]) -> dict[str, Any]:
    """moto's PutEvents tells the time in seconds since the epoch, and adds a field of its own."""
    moment = datetime.datetime.fromtimestamp(float(event["time"]), datetime.UTC)
    kept = {name: value for name, value in event.items() if name != "ingestion-time"}
    return {**kept, "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _reset_moto() -> None:
    BackendDict.reset()
    reset_model_data()
    os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "false")


def _no_deployer(name: str, _template: str, _parameters: Mapping[str, str]) -> DeployedStack:
    raise ValueError(f"The stack {name} cannot be deployed: the deployer has deployed nothing here yet.")
