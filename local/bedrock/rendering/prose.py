"""Answers in free text, for which a judge or a measure of likeness decides."""

from __future__ import annotations

from random import Random

from local.bedrock.rendering.form import Form, filler

_BESIDE_THE_POINT = (
    "That cannot be said from what is given here.",
    "I would rather not go into this without knowing more about the case.",
    "This is a matter of taste, and people see it in different ways.",
)


class Prose(Form[str]):
    """The reference text, or something beside the point."""

    def __init__(self, text: str) -> None:
        self._text = text

    def right(self) -> str:
        return self._text

    def wrong(self, chance: Random) -> str:
        return chance.choice(_BESIDE_THE_POINT)

    def asked(self, result: str) -> tuple[str, ...]:
        return (result,)

    def other(self, result: str) -> tuple[str, ...]:
        return (f"Here is my answer:\n\n{result}",)

    def buried(self, result: str) -> tuple[str, ...]:
        return ("\n".join(f"- {word}" for word in result.split()),)

    def hedged(self, results: list[str]) -> tuple[str, ...]:
        return ("\n\nOn the other hand:\n\n".join(results),)

    def padded(self, result: str, chance: Random) -> str:
        return f"{filler(chance, chance.randint(5, 8))}\n\n{result}\n\n{filler(chance, chance.randint(5, 8))}"
