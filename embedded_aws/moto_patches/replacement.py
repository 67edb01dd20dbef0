"""What of moto is replaced, and how it is put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Replace = Callable[[Any, str, Any], Any]
"""Owner, name and value: puts the value in the place of the owner's attribute; returns what was there."""


class Replacements:
    """The attributes that hold something else than moto's own."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, value: Any) -> Any:
        """As `Replace` says."""
        original = getattr(owner, name)
        setattr(owner, name, value)
        self._undo.append(lambda: setattr(owner, name, original))
        return original

    def undo(self) -> None:
        """Puts everything back, the last first: one attribute may have been replaced more than once."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
