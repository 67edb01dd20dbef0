"""Chance that can be repeated: every draw of the simulation is a hash of what it is about, never of the clock."""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import blake2b

_UNIT = 2.0**64


def fraction(*parts: str | bytes | int) -> float:
    """A number in [0, 1) that depends on `parts` alone."""
    return int.from_bytes(_digest(parts, 8), "big") / _UNIT


def generator(*parts: str | bytes | int) -> random.Random:
    """A random generator whose whole course depends on `parts` alone."""
    return random.Random(int.from_bytes(_digest(parts, 16), "big"))


@dataclass(frozen=True, slots=True)
class Draw:
    """What chance says about one answer: how the model behaves, whether it is right, and the words it takes."""

    behaviour: float
    right: float
    style: int

    @classmethod
    def of(cls, *parts: str | bytes | int) -> Draw:
        """The draw that depends on `parts` alone: two numbers in [0, 1) and a seed for the wording."""
        digest = _digest(parts, 24)
        return cls(
            int.from_bytes(digest[:8], "big") / _UNIT,
            int.from_bytes(digest[8:16], "big") / _UNIT,
            int.from_bytes(digest[16:], "big"),
        )


def _digest(parts: tuple[str | bytes | int, ...], size: int) -> bytes:
    digest = blake2b(digest_size=size)
    for part in parts:
        encoded = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(encoded).to_bytes(4, "big"))  # so that ("ab", "c") is not ("a", "bc")
        digest.update(encoded)
    return digest.digest()
