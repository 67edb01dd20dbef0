"""What a state answers: the few fields by which the state machine chooses the next state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

_FOR_THE_HANDLER = "for the handler"


def for_the_handler(default: Any = None) -> Any:
    """A field of a decision that only the handler reads; it is not part of the state's output."""
    return field(default=default, compare=False, metadata={_FOR_THE_HANDLER: True})


@dataclass(frozen=True, slots=True)
class Decision:
    """A state's answer. A state that returns more than the decision's name has a subclass with the other fields."""

    decision: str

    def output(self) -> dict[str, Any]:
        """The state's output: all fields with a value, without those that only the handler reads."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if not each.metadata}
        return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
