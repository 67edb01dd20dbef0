"""Writing many replies at once: a batch that new prompts join and ended replies leave, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache

from local.language_model.replies import Reply


class Batch:
    """The replies that are being written, and what the model remembers of each (its keys and values).

    All rows have the same width: shorter ones are padded on the left, and masked.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._ends = ends_of(model, tokenizer)
        self.replies: list[Reply] = []
        self._cache: list[tuple[torch.Tensor, torch.Tensor]] = []  # by layer: (rows, heads, width, size)
        self._mask = torch.zeros(0, 0, dtype=torch.long)

    def join(self, replies: Sequence[Reply]) -> None:
        """Read the prompts of these replies, and draw the first token of each."""
        width = max(len(reply.asked.prompt) for reply in replies)
        filler = self._tokenizer.pad_token_id
        rows = [[filler] * (width - len(each.asked.prompt)) + each.asked.prompt for each in replies]
        mask = torch.tensor([[0] * (width - len(each.asked.prompt)) + [1] * len(each.asked.prompt) for each in replies])
        cache = DynamicCache()
        logits = self._forward(torch.tensor(rows), mask, _places(mask), cache)
        self._merge([(layer.keys, layer.values) for layer in cache.layers], mask)
        self.replies += replies
        self._draw(replies, logits)

    def step(self) -> None:
        """Draw the next token of every reply that goes on. Those that have ended must have left."""
        last = torch.tensor([[reply.tokens[-1]] for reply in self.replies])
        self._mask = pad(self._mask, (0, 1), value=1)
        cache = DynamicCache()
        for number, (keys, values) in enumerate(self._cache):
            cache.update(keys, values, number)
        logits = self._forward(last, self._mask, _places(self._mask)[:, -1:], cache)
        self._cache = [(layer.keys, layer.values) for layer in cache.layers]
        self._draw(self.replies, logits)

    def leave(self) -> None:
        """Take those that have ended out of the batch."""
        going_on = [place for place, reply in enumerate(self.replies) if reply.finish is None]
        if len(going_on) == len(self.replies):
            return
        self.replies = [self.replies[place] for place in going_on]
        self._mask = self._mask[going_on]
        # The columns that are now padding in every row are of no use.
        first = int(self._mask.any(0).int().argmax()) if going_on else 0
        self._mask = self._mask[:, first:]
        self._cache = [(keys[going_on, :, first:], values[going_on, :, first:]) for keys, values in self._cache]
        if not going_on:
            self._cache, self._mask = [], torch.zeros(0, 0, dtype=torch.long)

    def _forward(self, tokens: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, cache: DynamicCache) -> Any:
        device = self._model.device
        with torch.inference_mode():
            output = self._model(
                input_ids=tokens.to(device),
                attention_mask=mask.to(device),
                position_ids=places.to(device),
                cache=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        return output.logits[:, -1].float().cpu()

    def _merge(self, cache: list[tuple[torch.Tensor, torch.Tensor]], mask: torch.Tensor) -> None:
        if not self._cache:
            self._cache, self._mask = cache, mask
            return
        width = max(self._mask.shape[1], mask.shape[1])
        self._mask = torch.cat([_widened(self._mask, width, 1), _widened(mask, width, 1)])
        self._cache = [
            (
                torch.cat([_widened(here[0], width, 2), _widened(new[0], width, 2)]),
                torch.cat([_widened(here[1], width, 2), _widened(new[1], width, 2)]),
            )
            for here, new in zip(self._cache, cache, strict=True)
        ]

    def _draw(self, replies: Sequence[Reply], logits: torch.Tensor) -> None:
        for reply, row in zip(replies, logits, strict=True):
            reply.take(reply.draw(row), self._tokenizer, self._ends)


def ends_of(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens with which a reply ends."""
    told = model.generation_config.eos_token_id
    ends = told if isinstance(told, list) else [told]
    return frozenset(end for end in (*ends, tokenizer.eos_token_id) if end is not None)


def _places(mask: torch.Tensor) -> torch.Tensor:
    """Each token's place in its own text; padding has the first."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


def _widened(tensor: torch.Tensor, width: int, dimension: int) -> torch.Tensor:
    """The tensor with zeros on the left of a dimension, up to a width."""
    missing = width - tensor.shape[dimension]
    behind = tensor.dim() - 1 - dimension
    return pad(tensor, (0, 0) * behind + (missing, 0)) if missing else tensor
