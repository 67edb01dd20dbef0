"""What the rehearsal sampled, as the report shows it: some answers with their rewards, and what each cheat got."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from tunedrop.graders.thoughts import cut_thoughts
from tunedrop.graders.turn import text_of
from tunedrop.reporting.flips import cut

MOST_PROMPTS = 16
MOST_ANSWERS = 8
"""Most prompts, and most answers of each, that are shown."""

TEXT_CHARACTERS = 1_200
PROBE_CHARACTERS = 300


def samples(document: Mapping[str, Any]) -> dict[str, Any]:
    """`groups` and `cheats` of rehearsal.json, cut to what a page can show.

    A group has its prompt and answers (text, thought, reward, why it has no grade, the grader's explanation). A cheat
    has its name (None for honest wrong answers), how often it was tried, its mean reward, and one example.
    """
    groups = [each for each in document.get("groups") or () if isinstance(each, Mapping)]
    tried: dict[str | None, list[Mapping[str, Any]]] = {}
    for probe in document.get("probes") or ():
        tried.setdefault(probe.get("cheat"), []).append(probe)
    return {
        "groups": [_group(group) for group in groups[:MOST_PROMPTS]],
        "left_out": max(0, len(groups) - MOST_PROMPTS),
        "cheats": [_cheat(name, probes) for name, probes in tried.items()],
    }


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    turns = [turn for turn in group.get("messages") or () if isinstance(turn, Mapping)]
    prompt = "\n\n".join(filter(None, (text_of(turn.get("content")) for turn in turns)))
    return {
        "prompt": cut(prompt, TEXT_CHARACTERS),
        "answers": [_answer(each) for each in (group.get("answers") or ())[:MOST_ANSWERS]],
    }


def _answer(told: Mapping[str, Any]) -> dict[str, Any]:
    said = cut_thoughts(str(told.get("answer") or ""))
    return {
        "text": cut(said.answer, TEXT_CHARACTERS),
        "thought": cut(said.thought or str(told.get("thought") or ""), TEXT_CHARACTERS),
        "reward": told.get("reward"),
        "ungraded": told.get("ungraded"),
        "reason": cut(str(told.get("explanation") or ""), PROBE_CHARACTERS),
        "truncated": told.get("finish_reason") == "length",
    }


def _cheat(name: str | None, probes: list[Mapping[str, Any]]) -> dict[str, Any]:
    rewards = [each["reward"] for each in probes if each.get("reward") is not None]
    shown = max(probes, key=lambda each: each.get("reward") or 0.0)
    return {
        "cheat": name,
        "answers": len(probes),
        "reward": fmean(rewards) if rewards else None,
        "highest": max(rewards, default=None),
        "example": cut(str(shown.get("answer") or ""), PROBE_CHARACTERS),
        "reason": cut(str(shown.get("explanation") or ""), PROBE_CHARACTERS),
    }
