"""One reply in the making: how its tokens are drawn, what of its text can be told, and why it ends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

_INCOMPLETE = "\ufffd"  # what a tokenizer puts where a letter's bytes are not complete yet


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the prompt's tokens, and the request's settings."""

    prompt: list[int]
    adapter: str | None
    temperature: float
    top_p: float
    top_k: int  # 0: all
    seed: int | None
    most: int  # tokens
    stops: tuple[str, ...]


@dataclass
class Reply:
    """One reply to what was asked. `place`: its number among the replies to one request, part of its seed."""

    asked: Asked
    place: int
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    told: int = 0  # characters that were given out
    finish: Literal["stop", "length"] | None = None
    stopped_by: str | None = None

    def __post_init__(self) -> None:
        self._chance = torch.Generator()
        if self.asked.seed is None:
            self._chance.seed()
        else:
            # Of the prompt, too: two prompts of one seed must not be drawn alike.
            named = f"{self.asked.seed} {self.place} {self.asked.prompt}".encode()
            self._chance.manual_seed(int.from_bytes(hashlib.sha256(named).digest()[:8], "big") >> 1)

    def draw(self, logits: torch.Tensor) -> int:
        """The next token, by the logits of the vocabulary (float32, on the processor)."""
        if self.asked.temperature == 0:
            return int(logits.argmax())
        chances = torch.softmax(logits / self.asked.temperature, dim=-1)
        if self.asked.top_k:
            least = chances.topk(min(self.asked.top_k, len(chances))).values[-1]
            chances = chances.masked_fill(chances < least, 0.0)
        if self.asked.top_p < 1:
            ordered, places = chances.sort(descending=True)
            # Those that are needed to reach top_p, and always the likeliest.
            beyond = ordered.cumsum(-1) - ordered >= self.asked.top_p
            beyond[0] = False
            chances = torch.zeros_like(chances).scatter(0, places, ordered.masked_fill(beyond, 0.0))
        return int(torch.multinomial(chances, 1, generator=self._chance))

    def take(self, token: int, tokenizer: Any, ends: frozenset[int]) -> None:
        """Add a token; it sets `finish` where the reply ends with it. The end's own token counts, as services count."""
        self.tokens.append(token)
        if token not in ends:
            self.text = tokenizer.decode(self.tokens, skip_special_tokens=True)
            reached = {self.text.find(stop): stop for stop in reversed(self.asked.stops) if stop in self.text}
            if reached:
                self.stopped_by = reached[min(reached)]
                self.text = self.text[: min(reached)]
                self.finish = "stop"
            elif len(self.tokens) >= self.asked.most:
                self.finish = "length"
        else:
            self.finish = "stop"

    def piece(self) -> str:
        """The text that was not told yet and will stay: nothing of a letter, or of a stop, that is half there."""
        text = self.text
        if self.finish is None:
            text = text.rstrip(_INCOMPLETE)
            text = text[: len(text) - max((_half(text, stop) for stop in self.asked.stops), default=0)]
        piece = text[self.told :]
        self.told = max(self.told, len(text))
        return piece


def _half(text: str, stop: str) -> int:
    """How many characters at the end of `text` may be the beginning of `stop`."""
    return next((length for length in range(len(stop) - 1, 0, -1) if text.endswith(stop[:length])), 0)
