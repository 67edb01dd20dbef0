"""Answers whose result is a number or a short expression, with or without worked text before it."""

from __future__ import annotations

import re
from random import Random

from local.bedrock.rendering.form import Form

MARKED = re.compile(r"####\s*(.+?)\s*$")
_NUMBER = re.compile(r"^(?P<before>[^\d\-.]*)(?P<number>-?(?:\d[\d,]*)?\.?\d+)(?P<after>[^\d]*)$")
_ANNOTATION = re.compile(r"<<.*?>>")
_ASKED_WORD = re.compile(r"\b((?:FINAL )?ANSWER):")


class Maths(Form[str]):
    """A result, the worked text that leads to it, and the format that the prompt asks for."""

    def __init__(self, result: str, work: str, prompt: str) -> None:
        self._result = result
        self._work = _ANNOTATION.sub("", work).strip()
        word = _ASKED_WORD.search(prompt)
        if "####" in prompt or not (word or r"\boxed" in prompt):
            self._format = "#### {}"
        else:
            self._format = r"\boxed{{{}}}" if r"\boxed" in prompt else f"{word[1] if word else ''}: {{}}"

    def right(self) -> str:
        return self._result

    def wrong(self, chance: Random) -> str:
        return wrong_result(self._result, chance)

    def asked(self, result: str) -> tuple[str, ...]:
        return (f"{self._worked(result)}\n{self._format.format(result)}",)

    def other(self, result: str) -> tuple[str, ...]:
        work = self._worked(result)
        marked = f"#### {result}" if self._format.startswith(r"\boxed") else rf"\boxed{{{result}}}"
        return f"{work}\n{marked}", f"{work}\nThe answer is {result}."

    def buried(self, result: str) -> tuple[str, ...]:
        taken = (plain_number(result), plain_number(self._result))
        times, minutes, figures = [number for number in range(2, 7) if number not in taken][:3]
        return (
            f"I make it {result} when I put the {figures} figures together, though I went over it {times} times and it "
            f"took me {minutes} minutes, so please check.",
            f"With {result} I would be content, after {times} tries in {minutes} minutes with {figures} figures.",
        )

    def hedged(self, results: list[str]) -> tuple[str, ...]:
        listed = "\n".join(self._format.format(result) for result in results)
        return (
            f"I am not quite sure how to read this. One of these should be it:\n{listed}",
            f"It depends on how the question is meant, so here is what it could be:\n{listed}",
        )

    def _worked(self, result: str) -> str:
        if not self._work:
            return f"Step by step, this comes to {result}."
        if result == self._result:
            return self._work
        # The right number must not stand in a wrong answer: a grader that looks for it anywhere would pay by accident.
        right = plain_number(self._result)
        return re.sub(
            r"-?\d[\d,]*(?:\.\d+)?",
            lambda found: result if found[0] == self._result or plain_number(found[0]) == right else found[0],
            self._work,
        )


def is_mathematical(text: str) -> bool:
    """Whether a short reference looks like a number, a formula or an equation."""
    short = len(text) <= 60 and "\n" not in text
    return short and (plain_number(text) is not None or "\\" in text or bool(re.search(r"\d", text) and "=" in text))


def plain_number(text: str) -> float | None:
    """The value of a text that holds one number with signs, units or commas around it; None for anything else."""
    found = _NUMBER.match(text.strip())
    return float(found["number"].replace(",", "")) if found and len(found["after"]) <= 12 else None


def wrong_result(right: str, chance: Random) -> str:
    """A result of the same form that is not the right one: off by a little, doubled, halved, digits swapped."""
    found = _NUMBER.match(right.strip())
    if found is None:
        return _wrong_expression(right, chance)
    number = found["number"]
    commas = "," in number
    digits = number.replace(",", "")
    decimals = len(digits.partition(".")[2])
    value = float(digits)
    unit = 10.0**-decimals
    slips = [value + unit, value - unit, value + 2 * unit, value * 2, value + 10 * unit, value - 10 * unit, value / 2]
    swapped = digits.lstrip("-")
    if len(swapped) > 1 and "." not in swapped:
        slips.append(float(swapped[1] + swapped[0] + swapped[2:]))
    plausible = [slip for slip in slips if round(slip, decimals) != value and (slip >= 0 or value < 0)]
    slip = chance.choice(plausible)
    return f"{found['before']}{slip:{',' if commas else ''}.{decimals}f}{found['after']}"


def _wrong_expression(right: str, chance: Random) -> str:
    runs = list(re.finditer(r"\d+", right))
    if not runs:
        return f"-{right}" if not right.startswith("-") else right[1:]
    run = chance.choice(runs)
    return f"{right[: run.start()]}{int(run[0]) + chance.randint(1, 3)}{right[run.end() :]}"
