"""What the page's charts and its table of rows are drawn from: the numbers of a report, in the page's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.evaluation.tally import REWARD_BINS
from tunedrop.reporting.row_texts import PageRows
from tunedrop.reporting.wording import number

ROWS_FOLDER = "report_rows/"
"""Where the files of rows lie, seen from the page: `run.folder.REPORT_ROWS`."""

CURVE_POINTS = 1_500
"""Most points of a training curve: more than a wide screen has pixels for."""


class Curve:
    """One training curve: the service's key, and what a reader should look for (AWS's best practices for RFT)."""

    def __init__(self, id: str, keys: Sequence[str], title: str, note: str, *, zero: bool) -> None:  # noqa: A002 - the page's word
        self.id = id
        self.keys = keys
        self.title = title
        self.note = note
        self.zero = zero


# Both backends' names: Mantle writes verl's names with `_` for `/`.
CURVES = (
    Curve(
        "reward", ("critic_rewards_mean", "critic/rewards/mean"), "Reward", "mean of each step; should rise", zero=False
    ),
    Curve(
        "entropy",
        ("actor_entropy", "actor/entropy"),
        "Entropy",
        "a gentle decline is healthy",
        zero=True,
    ),
    Curve("gradient", ("actor_grad_norm", "actor/grad_norm"), "Gradient norm", "a steady band is healthy", zero=True),
    Curve(
        "length",
        ("response_length_mean", "response_length/mean"),
        "Response length",
        "in tokens; should not explode",
        zero=False,
    ),
)


ALL_CURVES = (
    *CURVES,
    # In a job's output; events have other losses, which say little (docs/training.md).
    Curve("loss", ("training_loss",), "Training loss", "as the job's output has it", zero=False),
)


def page_data(report: Mapping[str, Any], rows: PageRows | None = None) -> dict[str, Any]:
    """The data block of the page. Every list is empty where the run did not come so far."""
    evaluation = report["evaluation"]
    comparison = comparison_marks(evaluation) if evaluation else []
    return {
        "comparison": comparison,
        "comparisonDomain": _domain(comparison),
        "curves": curves(report["training"]),
        "distribution": _distribution(evaluation) if evaluation else [],
        "distributionDomain": _reward_domain(evaluation) if evaluation else [0, 1],
        "slices": [
            {**part, "name": f"{part['field']}, {part['label']}"}
            for part in (evaluation["slices"] if evaluation else [])
        ],
        "rows": rows.index if rows else None,
        "rowFiles": [list(file) for file in rows.files] if rows else [],
        "rowsFolder": ROWS_FOLDER,
    }


def curves(training: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of each curve that the service reported: its points, the window of its running mean, the health findings."""
    series = (training or {}).get("metrics") or []
    health = [each for each in (training or {}).get("health") or [] if each.get("step") is not None]
    found = {}
    for curve in ALL_CURVES:
        points = sorted(
            (
                {"step": each["step"], "value": value}
                for each in series
                if each.get("step") is not None
                and (value := next((each[key] for key in curve.keys if each.get(key) is not None), None)) is not None
            ),
            key=lambda point: float(point["step"]),
        )
        if not points:
            continue
        thinned = points[:: max(1, ceil(len(points) / CURVE_POINTS))]
        found[curve.id] = {
            "series": thinned,
            "window": max(1, len(thinned) // 12),
            "zero": curve.zero,
            "health": [
                {
                    "step": each["step"],
                    "message": str(each.get("message", "")),
                    "value": _value_at(points, each["step"]),
                }
                for each in health
                if each.get("metric") in (None, curve.id, *curve.keys)
            ],
        }
    return found


def comparison_marks(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A dot and an interval for each model's mean reward and accuracy."""
    compared = evaluation["comparison"]
    marks = []
    for measure, name in (("reward", "Reward"), ("accuracy", "Accuracy")):
        if compared[measure] is None:
            continue
        for side, tone in (("first", "base"), ("second", "tuned")):
            estimate = compared[measure][side]
            marks.append(
                {
                    "label": f"{name}, {tone}",
                    "tone": tone,
                    "mean": estimate["mean"],
                    "low": estimate["low"],
                    "high": estimate["high"],
                    "shown": number(estimate["mean"], "reward" if measure == "reward" else "share"),
                }
            )
    return marks


def _domain(marks: Sequence[Mapping[str, Any]]) -> list[float]:
    """From just below the lowest to just above the highest interval, in tenths. No interval leaves its range."""
    if not marks:
        return [0, 1]
    low = floor(min(mark["low"] for mark in marks) * 10) / 10
    high = ceil(max(mark["high"] for mark in marks) * 10) / 10
    return [low, high] if high > low else [low - 0.1, high]


def _reward_domain(evaluation: Mapping[str, Any]) -> list[float]:
    """The rewards' range, with room for half a bar at both ends."""
    low, high = evaluation["reward_range"]
    room = 0.03 * (high - low)
    return [low - room, high + room]


def _distribution(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    low, high = evaluation["reward_range"]
    width = (high - low) / (REWARD_BINS - 1)
    bars = []
    for place, candidate in enumerate((BASE, TUNED)):
        counts = evaluation["candidates"][candidate]["reward_bins"]
        total = sum(counts) or 1
        for bin_number, count in enumerate(counts):
            if count:
                # Beside each other about the bin's centre, so that neither hides the other.
                start = low + (bin_number + 0.4 * (place - 1)) * width
                bars.append(
                    {
                        "from": round(start, 4),
                        "to": round(start + 0.4 * width, 4),
                        "share": count / total,
                        "count": count,
                        "tone": candidate,
                        "label": f"{candidate}, reward about {low + bin_number * width:.2f}",
                    }
                )
    return bars


def _value_at(points: Sequence[Mapping[str, Any]], step: float) -> float:
    value: float = min(points, key=lambda point: abs(point["step"] - step))["value"]
    return value
