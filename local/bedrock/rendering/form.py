"""What a form of answer must be able to do, and how the six behaviours are made from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import Generic, TypeVar

from local.bedrock.policy import Behaviour

Result = TypeVar("Result")

_FILLER = (
    "Let me think about this carefully, since it is worth getting right.",
    "First I want to restate for myself what is being asked here and what is not.",
    "There are several ways to look at it, and each of them has something to be said for it.",
    "I should keep in mind everything that was mentioned, even what seems to be of little weight.",
    "Looking at it from the other side does not change the picture in any way that matters.",
    "It is good practice to go over the whole thing again before settling on anything.",
    "Having gone over it again, I see no reason to change my mind about the main point.",
    "Some would take a shorter way here, but I prefer to be thorough and leave nothing out.",
    "So, putting all of this together, and leaving aside what does not bear on the question, I can conclude.",
)


class Form(ABC, Generic[Result]):
    """One form of answer for one row: what would be right, what would be plausibly wrong, and how to say either."""

    @abstractmethod
    def right(self) -> Result:
        """The result that the reference asks for."""

    @abstractmethod
    def wrong(self, chance: Random) -> Result:
        """A plausible result that is not the right one."""

    @abstractmethod
    def asked(self, result: Result) -> tuple[str, ...]:
        """The result in the format that the prompt asks for, in one or more wordings."""

    @abstractmethod
    def other(self, result: Result) -> tuple[str, ...]:
        """The result in another format, which a tolerant grader accepts, in one or more wordings."""

    @abstractmethod
    def buried(self, result: Result) -> tuple[str, ...]:
        """The result in a format that no careful grader accepts, in one or more wordings."""

    @abstractmethod
    def hedged(self, results: list[Result]) -> tuple[str, ...]:
        """Several results, none of them committed to, in one or more wordings."""

    def padded(self, result: Result, chance: Random) -> str:
        """The asked format after very many words that say nothing."""
        return f"{filler(chance, chance.randint(6, 9))}\n\n{chance.choice(self.asked(result))}"

    def render(self, behaviour: Behaviour, right: bool, chance: Random) -> str:
        """The reply's text."""
        if behaviour is Behaviour.EMPTY:
            return ""
        if behaviour is Behaviour.HEDGED:
            # The right one stands in the middle: a grader that takes the first or the last alone is not lured by luck.
            slips = self._slips(chance)
            return chance.choice(self.hedged([slips[0], self.right() if right else slips[2], slips[1]]))
        result = self.right() if right else self.wrong(chance)
        if behaviour is Behaviour.PADDED:
            return self.padded(result, chance)
        say = {
            Behaviour.ASKED_FORMAT: self.asked,
            Behaviour.OTHER_FORMAT: self.other,
            Behaviour.WRONG_FORMAT: self.buried,
        }[behaviour]
        return chance.choice(say(result))

    def _slips(self, chance: Random) -> list[Result]:
        """Three wrong results, different ones where a few tries find such."""
        slips = [self.wrong(chance)]
        for _ in range(8):
            slip = self.wrong(chance)
            if slip not in slips:
                slips.append(slip)
            if len(slips) == 3:
                break
        return (slips * 3)[:3]


def filler(chance: Random, sentences: int) -> str:
    """So many sentences, at most nine, that say nothing and hold no number."""
    return " ".join(chance.sample(_FILLER, sentences))
