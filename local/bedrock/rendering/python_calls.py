"""Answers that call functions as Python writes it: `area(base=10, height=5)`, a call a line."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from random import Random

from local.bedrock.rendering.form import Form, filler
from local.bedrock.rendering.structured import changed

Calls = tuple[str, ...]
_LONGEST = 4000  # characters of one call


def calls_as_python(reference: object) -> Calls | None:
    """The calls that a reference is, a text or an array of texts; None where it is anything else."""
    texts = [reference] if isinstance(reference, str) else reference
    if not isinstance(texts, list) or not texts:
        return None
    return tuple(texts) if all(isinstance(text, str) and _call(text) is not None for text in texts) else None


class PythonCalls(Form[Calls]):
    """One call or several, with named arguments."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def right(self) -> Calls:
        return self._calls

    def wrong(self, chance: Random) -> Calls:
        place = chance.randrange(len(self._calls))
        return (*self._calls[:place], _other_call(self._calls[place], chance), *self._calls[place + 1 :])

    def asked(self, result: Calls) -> tuple[str, ...]:
        return ("\n".join(result),)

    def other(self, result: Calls) -> tuple[str, ...]:
        return (f"[{', '.join(result)}]",)

    def buried(self, result: Calls) -> tuple[str, ...]:
        return (f"One would call {' and '.join(result)} for that, I suppose.",)

    def hedged(self, results: list[Calls]) -> tuple[str, ...]:
        return ("\nor\n".join("\n".join(result) for result in results),)

    def padded(self, result: Calls, chance: Random) -> str:
        return f"{filler(chance, chance.randint(6, 9))}\n\n{self.asked(result)[0]}"


def _call(text: str) -> ast.Call | None:
    """The call that a text is, with named literals only, at least one."""
    if len(text) > _LONGEST:
        return None
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if not isinstance(node, ast.Call) or node.args or not node.keywords:
            return None
        for keyword in node.keywords:
            ast.literal_eval(keyword.value)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return node if all(keyword.arg for keyword in node.keywords) else None


def _other_call(text: str, chance: Random) -> str:
    """The call with one or two of its arguments changed."""
    node = _call(text)
    keywords: Sequence[ast.keyword] = node.keywords if node else ()
    arguments = changed({str(each.arg): ast.literal_eval(each.value) for each in keywords}, chance)
    written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"{text.partition('(')[0].strip()}({written})"
