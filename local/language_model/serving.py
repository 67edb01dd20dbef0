"""The kept engine: it answers what is asked, many replies at once, with the base weights or with an adapter on them."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from local.language_model.generation import Batch
from local.language_model.pipes import Message, Pipes
from local.language_model.prompts import prompt_of
from local.language_model.replies import Asked, Reply
from local.language_model.weights import Weights, load

_MOST_AT_ONCE = 32
"""Replies that are written at once. On two cores 174 tokens a second at 32, 124 at 16, 18 alone (SmolLM2-135M)."""
_LONGEST_REPLY = 1024
"""Tokens of a reply to a request that sets no limit; fewer where the context has no room for so many."""
_MOST_ADAPTERS = 16
"""Adapters that stay loaded; of some 20 MB each at 135 million parameters."""


@dataclass
class _Request:
    """One request: its replies, of which some may still be written."""

    id: int
    replies: list[Reply]


class Engine:
    """Answers requests, batch after batch. A batch has one adapter; those with another one wait for their turn."""

    def __init__(self, weights: Weights, pipes: Pipes) -> None:
        self._model, self._tokenizer = load(weights.folder)
        self._adapters: dict[str, str] = {}
        self._context = int(getattr(self._model.config, "max_position_embeddings", 4096))
        self._pipes = pipes
        self._asked: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._waiting: deque[tuple[_Request, Reply]] = deque()
        self._cancelled: set[int] = set()
        self._left: dict[int, int] = {}  # by request: replies that have not ended
        parameters = sum(each.numel() for each in self._model.parameters())
        device = self._model.device.type
        pipes.say({"ready": {**weights.to_json(), "context": self._context, "parameters": parameters, "on": device}})

    def run(self) -> None:
        """Answer until the other side closes."""
        threading.Thread(target=self._listen, name="requests", daemon=True).start()
        while True:
            if not self._waiting and not self._take(wait=True):
                return
            if self._waiting and not self._one_batch():
                return

    def _listen(self) -> None:
        for message in self._pipes.heard():
            self._asked.put(message)
        self._asked.put(None)

    def _take(self, *, wait: bool) -> bool:
        """Take in what has been asked since; False at the end."""
        while True:
            try:
                message = self._asked.get(block=wait)
            except queue.Empty:
                return True
            if message is None:
                return False
            wait = False
            if "cancel" in message:
                self._cancelled |= {message["cancel"]} & self._left.keys()
            else:
                self._accept(message)

    def _accept(self, message: Message) -> None:
        try:
            request = self._request(message)
        except ValueError as problem:
            self._pipes.say({"id": message["id"], "refused": str(problem)})
            return
        self._left[request.id] = len(request.replies)
        self._waiting.extend((request, reply) for reply in request.replies)

    def _request(self, message: Message) -> _Request:
        prompt = prompt_of(self._tokenizer, message["messages"], message.get("tools"))
        room = self._context - len(prompt)
        if room < 1:
            raise ValueError(f"the prompt has {len(prompt)} tokens; the model's context has {self._context}")
        asked = Asked(
            prompt=prompt,
            adapter=message.get("adapter"),
            temperature=message["temperature"],
            top_p=message["top_p"],
            top_k=message["top_k"],
            seed=message["seed"],
            most=min(message["max_tokens"] or _LONGEST_REPLY, room),
            stops=tuple(message["stops"]),
        )
        return _Request(message["id"], [Reply(asked, place) for place in range(message["count"])])

    def _one_batch(self) -> bool:
        """Write replies of one adapter until none is left, taking in those that come meanwhile; False at the end."""
        adapter = self._waiting[0][1].asked.adapter
        try:
            batch = Batch(self._with(adapter), self._tokenizer)
        except Exception as problem:  # a folder that has gone, or is half written
            self._refuse_all(adapter, f"the adapter cannot be loaded: {problem}")
            return True
        owners: dict[int, _Request] = {}
        taken = 0
        while True:
            # Others' turn comes after so many replies, or a busy adapter would keep it for ever.
            new = self._next(adapter, _MOST_AT_ONCE - len(batch.replies)) if taken < 4 * _MOST_AT_ONCE else []
            if new:
                taken += len(new)
                owners.update({id(reply): request for request, reply in new})
                batch.join([reply for _, reply in new])
            elif batch.replies:
                batch.step()
            else:
                return True
            self._tell(batch, owners)
            batch.leave()
            if not self._take(wait=False):
                return False

    def _next(self, adapter: str | None, most: int) -> list[tuple[_Request, Reply]]:
        """The waiting replies of an adapter, at most so many, oldest first."""
        new: list[tuple[_Request, Reply]] = []
        others: deque[tuple[_Request, Reply]] = deque()
        while self._waiting and len(new) < most:
            request, reply = self._waiting.popleft()
            if request.id in self._cancelled:
                self._ended(request)
            elif reply.asked.adapter == adapter:
                new.append((request, reply))
            else:
                others.append((request, reply))
        self._waiting.extendleft(reversed(others))
        return new

    def _tell(self, batch: Batch, owners: dict[int, _Request]) -> None:
        for reply in batch.replies:
            request = owners[id(reply)]
            if request.id in self._cancelled:
                reply.finish = reply.finish or "length"
            told: Message = {"id": request.id, "place": reply.place, "piece": reply.piece()}
            if reply.finish is not None:
                told |= {"finish": reply.finish, "stopped_by": reply.stopped_by, "tokens": len(reply.tokens)}
                told["prompt_tokens"] = len(reply.asked.prompt)
            if (told["piece"] or reply.finish) and request.id not in self._cancelled:
                self._pipes.say(told)
            if reply.finish is not None:
                self._ended(request)

    def _ended(self, request: _Request) -> None:
        """One of its replies has ended."""
        self._left[request.id] -= 1
        if not self._left[request.id]:
            del self._left[request.id]
            self._cancelled.discard(request.id)

    def _refuse_all(self, adapter: str | None, why: str) -> None:
        refused = {request.id for request, reply in self._waiting if reply.asked.adapter == adapter}
        self._waiting = deque(each for each in self._waiting if each[0].id not in refused)
        for name in refused:
            del self._left[name]
            self._pipes.say({"id": name, "refused": why})

    def _with(self, adapter: str | None) -> Any:
        """The model with an adapter, or as it came."""
        if adapter is None:
            if isinstance(self._model, PeftModel):
                self._model.base_model.disable_adapter_layers()
            return self._model
        if not Path(adapter).is_dir():
            raise FileNotFoundError(adapter)
        name = self._adapters.pop(adapter, None) or f"a{len(self._adapters)}-{abs(hash(adapter))}"
        if name not in getattr(self._model, "peft_config", {}):
            if isinstance(self._model, PeftModel):
                self._model.load_adapter(adapter, adapter_name=name, is_trainable=False)
            else:
                self._model = PeftModel.from_pretrained(self._model, adapter, adapter_name=name, is_trainable=False)
            self._model.eval()
        self._adapters[adapter] = name  # the last one asked for stands last
        self._model.base_model.enable_adapter_layers()
        self._model.set_adapter(name)
        if len(self._adapters) > _MOST_ADAPTERS:
            self._model.delete_adapter(self._adapters.pop(next(iter(self._adapters))))
        return self._model


def serve(weights: Weights, pipes: Pipes, threads: int) -> None:
    """Serve until the other side closes its end."""
    torch.set_num_threads(threads)
    Engine(weights, pipes).run()
