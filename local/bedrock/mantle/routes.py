"""The table of the OpenAI-compatible API: method, path, IAM action, handler."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.routing import Route

from local.bedrock import keys
from local.bedrock.errors import access_denied, invalid_bearer_token, missing_credentials, wrong_signature
from local.bedrock.faults import named
from local.bedrock.http import Api, Handler, error_response, route
from local.bedrock.mantle.asking import Asking
from local.bedrock.mantle.chat import Chat
from local.bedrock.mantle.files import Files
from local.bedrock.mantle.job_routes import JobRoutes
from local.bedrock.mantle.jobs import Jobs
from local.bedrock.mantle.lists import Staleness
from local.bedrock.mantle.model_routes import ModelRoutes
from local.bedrock.mantle.projects import project_of
from local.bedrock.mantle.responses import Responses
from local.bedrock.service import Service

_SIGNING_SERVICE = "bedrock-mantle"


def mantle_routes(service: Service, jobs: Jobs, staleness: Staleness) -> list[Route]:
    """Every route under /v1."""
    files = Files(service, staleness)
    tuning = JobRoutes(service, jobs, staleness)
    models = ModelRoutes(service)
    asking = Asking(service)
    chat = Chat(service, asking)
    responses = Responses(service, asking)
    job = "/v1/fine_tuning/jobs/{job_id}"
    table: list[tuple[str, str, str, Handler]] = [
        ("POST", "/v1/chat/completions", "CreateInference", chat.complete),
        ("POST", "/v1/responses", "CreateInference", responses.create),
        ("GET", "/v1/responses/{response_id}", "GetInference", responses.retrieve),
        ("DELETE", "/v1/responses/{response_id}", "DeleteInference", responses.delete),
        ("POST", "/v1/responses/{response_id}/cancel", "CancelInference", responses.cancel),
        ("GET", "/v1/responses/{response_id}/input_items", "GetInference", responses.items),
        ("POST", "/v1/completions", "CreateInference", chat.complete_text),
        ("POST", "/v1/files", "CreateFile", files.create),
        ("GET", "/v1/files", "ListFiles", files.list),
        ("GET", "/v1/files/{file_id}", "GetFile", files.retrieve),
        ("DELETE", "/v1/files/{file_id}", "DeleteFile", files.delete),
        ("GET", "/v1/files/{file_id}/content", "GetFile", files.content),
        ("POST", "/v1/fine_tuning/jobs", "CreateFineTuningJob", tuning.create),
        ("GET", "/v1/fine_tuning/jobs", "ListFineTuningJobs", tuning.list),
        ("GET", job, "GetFineTuningJob", tuning.retrieve),
        ("GET", f"{job}/events", "GetFineTuningJob", tuning.events),
        ("GET", f"{job}/checkpoints", "GetFineTuningJob", tuning.checkpoints),
        ("POST", f"{job}/cancel", "CancelFineTuningJob", tuning.cancel),
        ("POST", f"{job}/pause", "CancelFineTuningJob", tuning.pause_or_resume),
        ("POST", f"{job}/resume", "CancelFineTuningJob", tuning.pause_or_resume),
        ("GET", "/v1/models", "ListModels", models.list),
        ("GET", "/v1/models/{model_id:path}", "GetModel", models.retrieve),
        ("DELETE", "/v1/models/{model_id:path}", "DeleteCustomizedModel", models.delete),
    ]
    api = Api(authorise=_Authoriser(service), error=error_response)
    return [
        route(service, api, method=method, path=path, action=action, handler=handler)
        for method, path, action, handler in table
    ]


class _Authoriser:
    """Checks the key of a request and whether its action is denied; remembers keys that it has read."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ends: dict[str, datetime] = {}

    async def __call__(self, request: Request, action: str) -> None:
        """Raises ApiError: 400 for the project, 401 for the key, 403 for the signature or the action."""
        switches = self._service.switches
        region, account = self._service.region, self._service.account
        project = project_of(request)
        key = keys.bearer_of(request.headers)
        if key is not None:
            self._check(key)
        else:
            scope = keys.signed_scope(request.headers.get("authorization", ""))
            if scope is None:
                raise missing_credentials()
            if scope != (region, _SIGNING_SERVICE):
                raise access_denied(action, region=region, account=account, project=project)
            await self._check_signature(request)
        if switches.denied_actions and action in named(switches.denied_actions):
            raise access_denied(action, region=region, account=account, project=project)
        request.state.access_key = access_key = keys.access_key_of(request.headers)
        if access_key is None:  # a long-term key, of a user that IAM of this machine does not know
            return
        wanted = [(action, f"arn:aws:bedrock-mantle:{region}:{account}:project/{project}")]
        if key is not None:
            wanted.append(("CallWithBearerToken", "*"))
        for each, resource in wanted:
            words = await self._service.rights.refusal(access_key, f"bedrock-mantle:{each}", resource)
            if words is not None:
                raise access_denied(each, region=region, account=account, project=project, words=words)

    async def _check_signature(self, request: Request) -> None:
        """Raises ApiError (403) where the embedded AWS calculates another signature. Without one nobody knows it."""
        refused = await self._service.rights.signature_refusal(
            {
                "method": request.method,
                "path": request.scope["raw_path"].decode("latin-1"),
                "query": request.scope["query_string"].decode("latin-1"),
                "headers": request.headers.items(),
                "digest": hashlib.sha256(await request.body()).hexdigest(),
                "service": _SIGNING_SERVICE,
            }
        )
        if refused is not None:
            raise wrong_signature(refused)

    def _check(self, key: str) -> None:
        switches = self._service.switches
        if switches.keys_expired:
            raise invalid_bearer_token()
        if keys.is_long_term(key) and switches.long_term_keys == "accept":
            return
        now = datetime.now(UTC)
        if key in self._ends and now < self._ends[key]:
            return
        try:
            ends = keys.check_short_term(key, region=self._service.region, now=now)
        except keys.KeyRefused as refusal:
            raise invalid_bearer_token() from refusal
        if len(self._ends) > 1000:  # keys are made per client, so old ones pile up
            self._ends.clear()
        self._ends[key] = ends
