"""The routes of /v1/fine_tuning/jobs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from local.bedrock.errors import ApiError, invalid, not_found
from local.bedrock.http import JsonResponse, json_body
from local.bedrock.mantle.early_lists import refuse_early_list
from local.bedrock.mantle.files import FILE
from local.bedrock.mantle.job_request import read_job_request
from local.bedrock.mantle.jobs import CHECKPOINT, EVENT, JOB, Jobs, job_object
from local.bedrock.mantle.lists import Staleness, asked_limit, list_object, no_such_place, page_of
from local.bedrock.mantle.projects import is_of, project_of
from local.bedrock.records import Document
from local.bedrock.service import Service

# OpenAI's defaults, since the service's are not known; AWS's notebooks ask for up to 200.
_JOBS_A_PAGE = 20
_EVENTS_A_PAGE = 20
_CHECKPOINTS_A_PAGE = 10
_MOST_A_PAGE = 1000


class JobRoutes:
    """The routes' handlers."""

    def __init__(self, service: Service, jobs: Jobs, staleness: Staleness) -> None:
        self._service = service
        self._jobs = jobs
        self._staleness = staleness

    async def create(self, request: Request) -> Response:
        """POST /v1/fine_tuning/jobs"""
        service = self._service
        body = await json_body(request)
        asked = read_job_request(body, models=service.models, switches=service.switches, region=service.region)
        for name, file in (("training_file", asked.training_file), ("validation_file", asked.validation_file)):
            kept = service.records.get(FILE, file) if file is not None else None
            if file is not None and (kept is None or not is_of(kept, request)):
                raise invalid(f"File '{file}' does not exist.", param=name)
        if service.switches.grader_checked_at_creation and not await service.function_exists(asked.grader):
            raise invalid(f"Function not found: {asked.grader}", param="method.reinforcement.grader.lambda.function")
        return self._answer(self._jobs.create(asked, creator=request.state.access_key, project=project_of(request)))

    async def list(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs, newest first"""
        as_of = self._staleness.called(JOB)
        limit = self._limit(request, _JOBS_A_PAGE)
        echo = self._service.switches.echo_method
        shown = [
            job_object(job, engine=self._service.engine, echo_method=echo, as_of=as_of)
            for job in reversed(self._service.records.all(JOB))
            if is_of(job, request) and self._staleness.shows(JOB, job["id"], job["created"], as_of=as_of)
        ]
        return JsonResponse(list_object(page_of(shown, request.query_params, limit)))

    async def retrieve(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs/{job_id}"""
        return self._answer(self._find(request))

    async def cancel(self, request: Request) -> Response:
        """POST /v1/fine_tuning/jobs/{job_id}/cancel"""
        return self._answer(self._jobs.cancel(self._find(request)["id"]))

    async def pause_or_resume(self, request: Request) -> Response:
        """POST /v1/fine_tuning/jobs/{job_id}/pause and …/resume"""
        if self._service.switches.pause_and_resume == "absent":
            raise ApiError(404, "not_found", f"No such route: {request.url.path}")
        return self._answer(self._find(request))

    async def events(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs/{job_id}/events"""
        refuse_early_list(self._service, self._find(request), EVENT)
        newest_first = self._service.switches.event_order == "newest_first"
        return self._page(request, EVENT, self._limit(request, _EVENTS_A_PAGE), newest_first=newest_first)

    async def checkpoints(self, request: Request) -> Response:
        """GET /v1/fine_tuning/jobs/{job_id}/checkpoints, newest first"""
        refuse_early_list(self._service, self._find(request), CHECKPOINT)
        return self._page(request, CHECKPOINT, self._limit(request, _CHECKPOINTS_A_PAGE), newest_first=True)

    def _find(self, request: Request) -> Document:
        """The job, where it is of the request's project. Raises ApiError (404)."""
        job = self._jobs.find(request.path_params["job_id"])
        if not is_of(job, request):
            raise not_found("fine-tuning job", job["id"])
        return job

    def _page(self, request: Request, kind: str, limit: int, *, newest_first: bool) -> Response:
        job = self._find(request)
        after = request.query_params.get("after") or None
        page = self._service.records.page(kind, parent=job["id"], limit=limit, after=after, newest_first=newest_first)
        if page is None:
            raise no_such_place(str(after))
        return JsonResponse(list_object(page))

    def _limit(self, request: Request, default: int) -> int:
        return asked_limit(request.query_params, default=default, largest=_MOST_A_PAGE, switches=self._service.switches)

    def _answer(self, job: Document) -> Response:
        return JsonResponse(
            job_object(job, engine=self._service.engine, echo_method=self._service.switches.echo_method)
        )
