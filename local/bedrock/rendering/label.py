"""Answers that are one label or a few out of a closed set."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from local.bedrock.rendering.form import Form

_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
_CHOICES = ("A", "B", "C", "D")


class Label(Form[str]):
    """A label, and the others that the model has seen in the rows that it knows."""

    def __init__(self, label: str, known: Sequence[str]) -> None:
        self._label = label
        others = [other for other in known if other != label]
        opposite = _OPPOSITES.get(label.lower())
        if not others and opposite:
            others = [opposite.title() if label[:1].isupper() else opposite]
        elif not others and label in _CHOICES:
            others = [choice for choice in _CHOICES if choice != label]
        self._others = others or [f"not {label}"]

    def right(self) -> str:
        return self._label

    def wrong(self, chance: Random) -> str:
        return chance.choice(self._others)

    def asked(self, result: str) -> tuple[str, ...]:
        return (result,)

    def other(self, result: str) -> tuple[str, ...]:
        return (f"Answer: {result}", f"**{result}**", f"The answer is {result}.")

    def buried(self, result: str) -> tuple[str, ...]:
        return (f"One might be inclined to say {result} here, but much depends on what is meant by the words.",)

    def hedged(self, results: list[str]) -> tuple[str, ...]:
        return (" or ".join(dict.fromkeys(results)),)
