"""Asking the kept engine: one process that answers all requests, started again when it has ended."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.bedrock.answers import Answer, Answers, Asked, OnPiece
from local.bedrock.errors import ApiError, invalid
from local.bedrock.language_model.worker import Environment, Message, Worker
from local.bedrock.model_ref import Adapter

_log = logging.getLogger(__name__)
_GONE = ApiError(503, "service_unavailable", "The language model's process ended; try again.", kind="server_error")


class NotServed(Exception):
    """The language model cannot be served; the message says why."""


@dataclass
class _Request:
    """One request that is being answered."""

    count: int
    on_piece: OnPiece | None
    done: asyncio.Future[Answers]
    texts: dict[int, str] = field(default_factory=dict)
    replies: dict[int, Answer] = field(default_factory=dict)

    def take(self, told: Message) -> bool:
        """Take in a message about it; True when all of its replies have ended."""
        if "refused" in told:
            if not self.done.done():
                self.done.set_exception(invalid(told["refused"], param="messages"))
            return True
        place = told["place"]
        self.texts[place] = self.texts.get(place, "") + told["piece"]
        if told["piece"] and self.on_piece is not None:
            self.on_piece(place, told["piece"])
        if told.get("finish"):
            self.replies[place] = Answer(self.texts[place], told["tokens"], told["finish"], told["stopped_by"])
        if len(self.replies) < self.count:
            return False
        if not self.done.done():
            self.done.set_result(Answers([self.replies[n] for n in range(self.count)], told["prompt_tokens"]))
        return True


class Serving:
    """Holds the serving process, and gives each request its answers."""

    def __init__(self, environment: Environment, log: Path) -> None:
        self._environment = environment
        self._log = log
        self._worker: Worker | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self.about: Mapping[str, Any] = {}
        """The weights' `name` and `licence`, the model's `context` in tokens, its number of `parameters`."""

    @property
    def pid(self) -> int | None:
        """The process that serves, if there is one."""
        return self._worker.pid if self._worker else None

    async def start(self) -> None:
        """Start the process unless it runs, and wait until it can answer. Raises NotServed."""
        async with self._starting:
            if self._worker is not None:
                return
            worker = await Worker.start(self._environment, ("serve",), self._log)
            heard = worker.heard()
            first = await anext(heard, None)
            if first is None or "ready" not in first:
                await worker.kill()
                why = first.get("failed") if first else f"its process ended; the reason is in {self._log}"
                raise NotServed(f"the language model {self._environment.weights} is not served: {why}")
            self.about = first["ready"]
            self._worker = worker
            self._reading = asyncio.create_task(self._read(worker, heard))

    async def answers(
        self, ref: Adapter, messages: Sequence[Mapping[str, Any]], asked: Asked, on_piece: OnPiece | None = None
    ) -> Answers:
        """The replies to a prompt. Raises ApiError: 400 for what the model refuses, 503 when its process ended."""
        try:
            await self.start()
        except NotServed as problem:
            raise ApiError(503, "service_unavailable", str(problem), kind="server_error") from problem
        number = next(self._numbers)
        request = _Request(asked.count, on_piece, asyncio.get_running_loop().create_future())
        self._requests[number] = request
        try:
            await self._say(_message(number, ref, messages, asked))
            return await request.done
        except asyncio.CancelledError:
            with suppress(ApiError):
                await self._say({"cancel": number})
            raise
        finally:
            self._requests.pop(number, None)

    async def close(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.kill()
        if self._reading is not None:
            await self._reading

    async def _say(self, message: Message) -> None:
        try:
            if self._worker is None:
                raise ConnectionError
            await self._worker.say(message)
        except ConnectionError as problem:
            raise _GONE from problem

    async def _read(self, worker: Worker, heard: Any) -> None:
        async for told in heard:
            request = self._requests.get(told["id"])
            if request is not None and request.take(told):
                self._requests.pop(told["id"], None)
        how = await worker.ended()
        if self._worker is worker:
            _log.warning("the process that serves the language model ended %s", how)
            self._worker = None
        for request in self._requests.values():
            if not request.done.done():
                request.done.set_exception(_GONE)


def _message(number: int, ref: Adapter, messages: Sequence[Mapping[str, Any]], asked: Asked) -> Message:
    return {
        "id": number,
        "adapter": ref.folder,
        "messages": list(messages),
        "tools": list(asked.tools),
        "count": asked.count,
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "top_k": asked.top_k,
        "seed": asked.seed,
        "max_tokens": asked.max_tokens,
        "stops": list(asked.stops),
    }
