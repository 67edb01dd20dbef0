"""What differs between two runs, by path, and told in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SHOWN = 60
"""Characters of a value that are told; of longer ones, the part that differs."""

_HASH = 16
"""Characters of a SHA-256 that are told."""

_AROUND = 12
"""Characters that are told before the first difference."""

_WORDS = {
    "train": "the training file has other contents (SHA-256)",
    "test": "the test file has other contents (SHA-256)",
    "train_rows": "training rows",
    "test_rows": "test rows",
    "tuned_model": "tuned model",
    "base_model": "base model",
    "code_version": "version of Tunedrop",
    "grader.arn": "version of the grader's function",
    "grader.kind": "kind of grader",
}


def inputs(report: Mapping[str, Any]) -> dict[str, Any]:
    """What went into a run, as far as it decides what comes out."""
    dataset, test = report["dataset"] or {}, report["test_set"] or {}
    return {
        "recipe": report["recipe"],
        "grader": report["grader"],
        "train": dataset.get("sha256"),
        "train_rows": dataset.get("rows"),
        "test": test.get("sha256"),
        "test_rows": test.get("rows"),
        "tuned_model": report["tuned_model"],
        "code_version": report["code_version"],
    }


def changes(first: Any, second: Any, path: str = "") -> dict[str, list[Any]]:
    """The values that differ between two JSON documents, by their path; None where there is none."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        found: dict[str, list[Any]] = {}
        for name in sorted({*first, *second}):
            found |= changes(first.get(name), second.get(name), f"{path}.{name}" if path else name)
        return found
    return {} if first == second else {path: [first, second]}


def in_words(path: str, before: Any, after: Any) -> str:
    """One change as a line: what it is, and both values, told apart."""
    if path in ("train", "test") and isinstance(before, str) and isinstance(after, str):
        was, now = (f"{each[:_HASH]}…" for each in (before, after))
    else:
        was, now = told_apart(before, after)
    return f"{_WORDS.get(path, path)}: {was} -> {now}"


def told_apart(before: Any, after: Any) -> tuple[str, str]:
    """Both values as JSON; where they are long, from just before the place at which they begin to differ.

    So two ARNs that differ in their last characters are not told as the same text.
    """
    was, now = (json.dumps(value, ensure_ascii=False) for value in (before, after))
    if max(len(was), len(now)) <= SHOWN or before is None or after is None:
        return _cut(was, 0), _cut(now, 0)
    same = next((place for place, (one, other) in enumerate(zip(was, now, strict=False)) if one != other), 0)
    start = max(0, same - _AROUND)
    return _cut(was, start), _cut(now, start)


def _cut(text: str, start: int) -> str:
    shown = text[start : start + SHOWN]
    return f"{'…' if start else ''}{shown}{'…' if len(text) > start + SHOWN else ''}"


def graders_differ(changed: Mapping[str, Any]) -> bool:
    """Whether two runs of the same model were graded differently."""
    by_grader = "grader.arn" in changed or any(path.startswith("recipe.grader") for path in changed)
    return by_grader and "recipe.model" not in changed


def p_value(value: float) -> str:
    """A p-value in words; never 0, which none is."""
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def told(paired: Mapping[str, Any] | None) -> str:
    """A paired comparison as one line."""
    if paired is None:
        return "unknown: no row has graded answers of both runs"
    reward = paired["reward"]
    rows = "1 row" if paired["pairs"] == 1 else f"{paired['pairs']:,} rows"
    return (
        f"mean reward {reward['first']['mean']:.3f} -> {reward['second']['mean']:.3f}, {reward['difference']:+.3f} "
        f"(95% interval {reward['low']:+.3f} to {reward['high']:+.3f}), {p_value(reward['p_value'])}, {rows}; "
        f"{paired['gained']:,} came right, {paired['lost']:,} went wrong"
    )
