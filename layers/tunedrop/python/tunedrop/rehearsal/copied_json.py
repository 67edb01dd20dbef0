"""Answers that are copied: the JSON that a prompt shows, and the reference's shape filled with what that JSON names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunedrop.graders.turn import text_of

AS_IT_IS, NAMES = "json_of_the_prompt", "names_of_the_prompt"
COPIES = frozenset({AS_IT_IS, NAMES})
"""The cheats that this module makes."""

_MOST_CHARACTERS = 50_000
_MOST_BEGINNINGS = 64


def copies(row: Mapping[str, Any]) -> dict[str, str]:
    """The copied answers to a row, by their names: none where the reference is no JSON, or the prompt shows none."""
    reference = row.get("reference_answer")
    shape = reference[0] if isinstance(reference, list) and reference else reference
    shown = list(_shown(row))
    if not isinstance(shape, Mapping) or not shown:
        return {}
    largest = max(shown, key=lambda each: len(json.dumps(each)))
    made: dict[str, Any] = {AS_IT_IS: largest}
    named = list(_objects(shown))
    filled = {name: _copied(name, value, named) for name, value in shape.items()}
    if any(filled.values()):
        made[NAMES] = [filled] if isinstance(reference, list) else filled
    return {cheat: json.dumps(answer, ensure_ascii=False) for cheat, answer in made.items() if answer != reference}


def _copied(name: str, value: Any, shown: list[Mapping[str, Any]]) -> Any:
    """The first value of this name and type that the prompt shows; else nothing of the type."""
    kind = type(value)
    plain = kind in (str, int, float, bool)
    found = (each[name] for each in shown if plain and type(each.get(name)) is kind)
    return next(found, kind() if plain or kind in (list, dict) else None)


def _shown(row: Mapping[str, Any]) -> Iterator[Any]:
    """The objects and arrays in the row's tools and in the text of its prompt, outermost first."""
    tools = row.get("tools")
    if isinstance(tools, list):
        yield from (each.get("function", each) for each in tools if isinstance(each, Mapping))
    prompt = "\n".join(text_of(message.get("content")) for message in row["messages"])[-_MOST_CHARACTERS:]
    decoder, place = json.JSONDecoder(), 0
    for _ in range(_MOST_BEGINNINGS):
        begins = [found for mark in "{[" if (found := prompt.find(mark, place)) >= 0]
        if not begins:
            return
        place = min(begins)
        try:
            document, place = decoder.raw_decode(prompt, place)
        except (ValueError, RecursionError):
            place += 1
            continue
        if document:
            yield document


def _objects(values: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Every object in these values, the outer before the inner."""
    waiting = list(values)
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, Mapping):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
