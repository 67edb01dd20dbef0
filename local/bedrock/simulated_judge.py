"""What the simulated models say to a prompt that asks for a judgement: a comparison by rule, with set mistakes.

No model weights judge here. The reference that stands in the prompt is compared with the answer by their words, and a
set share of judgements is mistaken (`judge_error_share`), some of them leniently (`judge_lenient_share`). Every reason
says that the judge is simulated.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.bedrock.chance import fraction
from local.bedrock.prompts import text_of

_JUDGED = re.compile(r'<judged id="(\w+)">\n(.*)\n</judged id="\1">', re.DOTALL)
_SCALE = re.compile(r"^Scale: an integer from 0 to (\d+)\.", re.MULTILINE)
_NUMBER_ASKED = re.compile(r"Reply with a number from (\S+) to (\S+) and nothing else")
_REFERENCE_AND_ANSWER = re.compile(r"reference answer:(.*)model answer:(.*)", re.DOTALL | re.IGNORECASE)
_LEAD_IN = re.compile(r"^\W*(?:here is my answer|(?:the |final )*answer(?: is)?)\s*:?\s*", re.IGNORECASE)
_HEDGE = re.compile(r"\b(?:on the other hand|or)\b", re.IGNORECASE)
_NOT_WORDS = re.compile(r"[\W_]+")


def judgement(messages: Sequence[Mapping[str, Any]], *, error_share: float, lenient_share: float) -> str | None:
    """The reply to a prompt that asks for a judgement in one of Tunedrop's two forms; None for any other prompt."""
    system = text_of(messages[0].get("content")) if messages[0].get("role") == "system" else ""
    user = "\n".join(text_of(message.get("content")) for message in messages[1:])
    scale, judged = _SCALE.search(system), _JUDGED.search(user)
    mistaken = fraction("judge", user) < error_share
    lenient = fraction("lenient", user) < lenient_share
    if scale and judged:
        best = int(scale[1])
        score = (best if lenient else 0) if mistaken else _score(json.loads(judged[2]), best)
        return json.dumps({"reason": "Simulated judge: compared by words with the reference.", "score": score})
    asked = _NUMBER_ASKED.search(system)
    if asked:
        lowest, highest = float(asked[1]), float(asked[2])
        share = float(lenient) if mistaken else _likeness(user)
        return f"{lowest + (highest - lowest) * share:.2f}"
    return None


def _score(judged: Mapping[str, str], best: int) -> int:
    reference, answer = _words(judged.get("reference", "")), judged["answer"].strip()
    said = _words(_LEAD_IN.sub("", answer))
    lines = answer.splitlines()
    listed = sum(line.lstrip().startswith("- ") for line in lines) * 2 > len(lines)
    if not reference or listed:
        return 0
    if said == reference:
        return best
    if f" {reference} " in f" {said} " and not _HEDGE.search(answer):
        return max(1, best - 1)  # right, among many words
    return 0


def _likeness(text: str) -> float:
    """0 to 1: how alike what follows "Reference answer:" and "Model answer:" is; 0 where the prompt has no such."""
    found = _REFERENCE_AND_ANSWER.search(text)
    if not found:
        return 0.0
    reference, answer = _words(found[1]).split(), _words(found[2]).split()
    return difflib.SequenceMatcher(None, reference, answer, autojunk=False).ratio()


def _words(text: str) -> str:
    return _NOT_WORDS.sub(" ", text.casefold()).strip()
