"""Answers that are a JSON document."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from local.bedrock.rendering.form import Form, filler
from local.bedrock.rendering.maths import plain_number, wrong_result

Json = Any


class Structured(Form[Json]):
    """A JSON object or array as the reference has it."""

    def __init__(self, reference: Json) -> None:
        self._reference = reference

    def right(self) -> Json:
        return self._reference

    def wrong(self, chance: Random) -> Json:
        return changed(self._reference, chance)

    def asked(self, result: Json) -> tuple[str, ...]:
        return json.dumps(result, ensure_ascii=False), json.dumps(result, ensure_ascii=False, indent=2)

    def other(self, result: Json) -> tuple[str, ...]:
        return (f"```json\n{json.dumps(result, ensure_ascii=False, indent=2)}\n```",)

    def buried(self, result: Json) -> tuple[str, ...]:
        text = json.dumps(result, ensure_ascii=False)
        return text[:-1], f"{text[:-1]}, ...{text[-1]}"

    def hedged(self, results: list[Json]) -> tuple[str, ...]:
        return ("\nor\n".join(json.dumps(result, ensure_ascii=False) for result in results),)

    def padded(self, result: Json, chance: Random) -> str:
        text = json.dumps(result, ensure_ascii=False, indent=2)
        return f"{filler(chance, chance.randint(5, 8))}\n\n{text}\n\n{filler(chance, chance.randint(3, 6))}"


class LabelSet(Structured):
    """A set of labels in a JSON document: {"labels": […]} or an array; wrong ones are made of the labels known."""

    def __init__(self, reference: Json, known: Sequence[str]) -> None:
        super().__init__(reference)
        self._known = known

    def wrong(self, chance: Random) -> Json:
        reference = self.right()
        right = next(iter(reference.values())) if isinstance(reference, dict) else reference
        others = [label for label in self._known if label not in right]
        if not others:
            return super().wrong(chance)
        added = chance.sample(others, min(len(others), chance.choice((1, 1, 2))))
        kept = [label for label in right if chance.random() < 0.5]
        slip = sorted([*kept, *added])
        return {next(iter(reference)): slip} if isinstance(reference, dict) else slip


def changed(document: Json, chance: Random) -> Json:
    """The document with one or two of its values changed; never equal to it."""
    result = copy.deepcopy(document)
    places = list(_places(result))
    if not places:
        return {"value": None} if document == {} else [None] if document == [] else _other_value(document, chance)
    for holder, key in chance.sample(places, min(len(places), chance.choice((1, 1, 2)))):
        holder[key] = _other_value(holder[key], chance)
    return result


def _places(document: Json) -> list[tuple[Any, Any]]:
    """Every (holder, key) whose value is neither an object nor an array with something in it."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    found: list[tuple[Any, Any]] = []
    for key, value in pairs:
        deeper = _places(value)
        found.extend(deeper or [(document, key)])
    return found


def _other_value(value: Json, chance: Random) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((1, -1, 2, 10))
    if isinstance(value, float):
        return round(value * chance.choice((1.1, 0.9, 2.0)) + 0.5, 4)
    if isinstance(value, str):
        return _other_text(value, chance)
    return "unknown"


def _other_text(text: str, chance: Random) -> str:
    if plain_number(text) is not None:
        return wrong_result(text, chance)
    words = text.split()
    if len(words) > 2:
        return " ".join(words[: len(words) // 2])
    return chance.choice(("unknown", "none", f"other {text}")) if text else "unknown"
