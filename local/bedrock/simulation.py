"""Routes under /_simulation: what drives and shows the simulation, and is no part of the service's contract."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.bedrock.catalog import base_model
from local.bedrock.errors import ApiError, invalid, not_found
from local.bedrock.http import JsonResponse, error_response, json_body, marked
from local.bedrock.model_ref import Adapter, ref_from_json
from local.bedrock.policy import BEHAVIOURS
from local.bedrock.service import Service
from local.bedrock.switches import Switches, SwitchInvalid, table


def simulation_routes(service: Service, stop: Callable[[], Awaitable[None]]) -> list[Route]:
    """Every route under /_simulation; they need no key, and the process listens on loopback alone.

    `stop` stops every training.
    """

    async def switches(_: Request) -> Response:
        """GET: every switch with its value."""
        values = service.switches.to_json()
        return JsonResponse([{**switch, "value": values[switch["name"]]} for switch in table()])

    async def set_switches(request: Request) -> Response:
        """POST {name: value, …}: all are set, or none."""
        body = await json_body(request)
        tried = Switches(**service.switches.to_json())
        try:
            for name, value in body.items():
                tried.set(name, value)
        except SwitchInvalid as problem:
            raise invalid(str(problem)) from problem
        for name in body:
            setattr(service.switches, name, getattr(tried, name))
        if "fault_plan" in body:
            service.faults.replan()
        return JsonResponse(service.switches.to_json())

    async def teach(request: Request) -> Response:
        """POST a JSONL body: rows whose reference answers the model knows from now on."""
        learnt, passed_over = service.rows.teach(await request.body())
        return JsonResponse({"learnt": learnt, "passed_over": passed_over, "known": len(service.rows)})

    async def forget(_: Request) -> Response:
        """POST: stop every training, forget everything, set every switch to its default."""
        await stop()
        service.forget()
        return JsonResponse({})

    async def calls(_: Request) -> Response:
        """GET: how often each action reached its handler since the start of the process."""
        return JsonResponse(dict(service.calls))

    async def asked(_: Request) -> Response:
        """GET: with which settings models were asked and trained since the start of the process, and how often."""
        return JsonResponse(service.asked.shown())

    async def faults(_: Request) -> Response:
        """GET: how often each fault befell a call since the start of the process."""
        return JsonResponse(dict(service.faults.befallen))

    async def show_policy(request: Request) -> Response:
        """GET: what a model is: shares of behaviours and skill of a policy, or the folder of a real one's adapter."""
        name = request.path_params["model_id"]
        found = service.models.find(name)
        if found is None:
            raise not_found("model", name)
        if isinstance(found.ref, Adapter):
            return JsonResponse({"model": name, "base": found.base.model_id, "adapter": found.ref.folder})
        policy = found.ref
        shares = dict(zip(map(str, BEHAVIOURS), policy.shares, strict=True))
        shown = {"model": name, "base": found.base.model_id, "shares": shares, "policy": policy.to_json()}
        return JsonResponse({**shown, "skill": policy.skill, **asdict(policy)})

    async def keep_policy(request: Request) -> Response:
        """PUT what GET has shown, of a tuned model that another process trained: it can be asked here from now on."""
        name, shown = request.path_params["model_id"], await json_body(request)
        base = base_model(str(shown.get("base")))
        if base is None:
            raise not_found("model", str(shown.get("base")))
        service.models.keep(base, ref_from_json(shown), model_id=name)
        return JsonResponse({})

    return [
        _route("GET", "/_simulation/switches", switches),
        _route("POST", "/_simulation/switches", set_switches),
        _route("POST", "/_simulation/rows", teach),
        _route("POST", "/_simulation/forget", forget),
        _route("GET", "/_simulation/calls", calls),
        _route("GET", "/_simulation/asked", asked),
        _route("GET", "/_simulation/faults", faults),
        _route("GET", "/_simulation/policies/{model_id:path}", show_policy),
        _route("PUT", "/_simulation/policies/{model_id:path}", keep_policy),
    ]


def _route(method: str, path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return marked(await handler(request))
        except ApiError as refusal:
            return marked(error_response(refusal))

    return Route(path, endpoint, methods=[method])


def switches_text() -> str:
    """The table of switches for a terminal."""
    lines = []
    for switch in table():
        default = json.dumps(switch["default"])
        lines.append(f"{switch['name']} = {default}  ({switch['allowed']})")
        lines.append(f"    {switch['sentence']}")
    return "\n".join(lines)
