"""What differs between the families of models in the shape of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunedrop.catalog import Family


@dataclass(frozen=True, slots=True)
class RowFormat:
    """What differs between the families in the shape of a row."""

    roles: frozenset[str]
    """Documented roles."""
    other_roles: frozenset[str]
    """Roles that one of AWS's tools or OpenAI's format knows, but that the service does not document."""
    message_keys: frozenset[str]
    reserved_texts: tuple[str, ...]
    """Texts that one of AWS's validators refuses inside a message (lower case)."""


SYSTEM_FIELDS = frozenset({"system", "system_prompt", "systemPrompt", "system_instruction"})
"""Fields of a row in which other tools keep the system prompt, which the service does not show the model."""

_ROLES = frozenset({"system", "user", "assistant"})
_MESSAGE_KEYS = frozenset({"role", "content", "tool_calls", "tool_call_id"})

FORMATS: Mapping[Family, RowFormat] = MappingProxyType(
    {
        Family.OPEN_WEIGHT: RowFormat(
            roles=_ROLES,
            other_roles=frozenset({"developer", "tool"}),
            message_keys=_MESSAGE_KEYS | {"name"},
            reserved_texts=(),
        ),
        Family.NOVA: RowFormat(
            roles=_ROLES,
            other_roles=frozenset({"developer", "tool", "bot"}),
            message_keys=_MESSAGE_KEYS,
            reserved_texts=("system:", "user:", "assistant:", "[eos]", "<image>", "<video>"),
        ),
    }
)
