"""Two candidates side by side on the rows that both have graded answers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunedrop.evaluation.statistics import Estimate, PairedDifference, mean_with_interval, paired_difference, wilson
from tunedrop.evaluation.tally import CandidateTally, Tally
from tunedrop.graders.reward_range import RewardRange

SHARES = (0.0, 1.0)
"""The range of a share of right answers."""

SLICES = 12
"""Most slices of one field that are shown; the rest is one slice, "(others)"."""

LEAST_SLICE_ROWS = 10
"""A slice with fewer pairs has no interval worth showing."""

OTHERS = "(others)"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Second against first. Differences are second minus first; rows are those of the test set.

    `accuracy` and its parts are None where no answer is known as right or wrong. `gained` are the rows where the second
    is right more often, `lost` those where the first is. `worst_case` and `best_case` are the differences if every row
    that was left out had gone against the second, or for it (Horowitz and Manski 1995, Econometrica 63): where both
    lie on one side of 0, what was left out cannot change the direction.
    """

    first: str
    second: str
    rows: int
    pairs: int
    only_first_graded: int
    only_second_graded: int
    neither_graded: int
    reward: PairedDifference
    first_reward: Estimate
    second_reward: Estimate
    accuracy: PairedDifference | None
    first_accuracy: Estimate | None
    second_accuracy: Estimate | None
    gained: int
    lost: int
    worst_case: float
    best_case: float

    @property
    def left_out(self) -> int:
        """Rows of the test set that do not count, because one side or both have no graded answer."""
        return self.rows - self.pairs

    def to_json(self) -> dict[str, Any]:
        """The comparison as report.json holds it."""
        return {
            "first": self.first,
            "second": self.second,
            "rows": self.rows,
            "pairs": self.pairs,
            "left_out": {
                "rows": self.left_out,
                "only_first_graded": self.only_first_graded,
                "only_second_graded": self.only_second_graded,
                "neither_graded": self.neither_graded,
                "worst_case_difference": self.worst_case,
                "best_case_difference": self.best_case,
            },
            "reward": _difference_json(self.reward, self.first_reward, self.second_reward),
            "accuracy": _difference_json(self.accuracy, self.first_accuracy, self.second_accuracy),
            "gained": self.gained,
            "lost": self.lost,
        }


def compare(tally: Tally, first: str, second: str, *, level: float) -> Comparison | None:
    """Second against first; None where no row has graded answers of both, or one of them answered nothing."""
    if first not in tally.candidates or second not in tally.candidates:
        return None
    one, other = tally.candidates[first], tally.candidates[second]
    pairs = list(tally.pairs(first, second))
    if not pairs:
        return None
    rewards = [(_reward(one, row), _reward(other, row)) for row in pairs]
    judged = [
        (before, after)
        for row in pairs
        if (before := one.accuracy(row)) is not None and (after := other.accuracy(row)) is not None
    ]
    only_first = [row for row in range(tally.rows) if one.graded(row) and not other.graded(row)]
    only_second = [row for row in range(tally.rows) if other.graded(row) and not one.graded(row)]
    neither = tally.rows - len(pairs) - len(only_first) - len(only_second)
    known = sum(after - before for before, after in rewards)
    first_alone = sum(_reward(one, row) for row in only_first)
    second_alone = sum(_reward(other, row) for row in only_second)
    within = tally.rewards
    known += second_alone - first_alone
    return Comparison(
        first=first,
        second=second,
        rows=tally.rows,
        pairs=len(pairs),
        only_first_graded=len(only_first),
        only_second_graded=len(only_second),
        neither_graded=neither,
        reward=paired_difference((after - before for before, after in rewards), level=level, width=within.width),
        first_reward=_mean_reward([before for before, _ in rewards], level, within),
        second_reward=_mean_reward([after for _, after in rewards], level, within),
        accuracy=paired_difference((after - before for before, after in judged), level=level) if judged else None,
        first_accuracy=_share([before for before, _ in judged], tally.samples, level),
        second_accuracy=_share([after for _, after in judged], tally.samples, level),
        gained=sum(after > before for before, after in judged),
        lost=sum(after < before for before, after in judged),
        # The second's missing rewards are the least and the first's the greatest in the worst case, and the other way
        # round in the best.
        worst_case=(known + len(only_first) * within.low - len(only_second) * within.high - neither * within.width)
        / tally.rows,
        best_case=(known + len(only_first) * within.high - len(only_second) * within.low + neither * within.width)
        / tally.rows,
    )


def candidate_figures(candidate: CandidateTally, *, level: float) -> dict[str, Any]:
    """One candidate for the table: over all its graded answers, whether or not the other side has them too."""
    rows = [row for row in range(candidate.rows) if candidate.graded(row)]
    judged = [share for row in rows if (share := candidate.accuracy(row)) is not None]
    latency = candidate.latency((0.5, 0.99))
    powers = [k for k in (1, 2, 4, 8, 16) if k <= candidate.samples]
    return {
        "rows_graded": len(rows),
        "answers": candidate.answers,
        "missing": candidate.missing(),
        "truncated": candidate.truncated,
        "unfinished_thoughts": candidate.unfinished_thoughts,
        "ungraded": dict(candidate.ungraded.most_common()),
        "reward": estimate_json(_mean_reward([_reward(candidate, row) for row in rows], level, candidate.rewards))
        if rows
        else None,
        "accuracy": estimate_json(_share(judged, candidate.samples, level)),
        "pass_at": {str(k): candidate.pass_at(k) for k in powers} if candidate.samples > 1 and judged else {},
        "prompt_tokens": candidate.tokens("prompt"),
        "completion_tokens": candidate.tokens("completion"),
        "completion_tokens_an_answer": candidate.tokens_an_answer("completion"),
        "latency_p50_seconds": latency[0] if latency else None,
        "latency_p99_seconds": latency[1] if latency else None,
        "reward_bins": list(candidate.reward_bins),
    }


def slices(
    tally: Tally, first: str, second: str, labels: Mapping[str, Sequence[str | None]], *, level: float
) -> list[dict[str, Any]]:
    """The difference within parts of the test set: `labels` gives for each field one label a row (None: no value).

    For looking, not for deciding: with twenty slices one is expected to stand out at level 0.05 by chance alone. Each
    slice has field, label, pairs, first, second, difference, low, high. Ordered by label; small ones and those beyond
    the `SLICES` largest are gathered.
    """
    one, other = tally.candidates[first], tally.candidates[second]
    found = []
    for field, of_rows in labels.items():
        if len(of_rows) != tally.rows:
            raise ValueError(f"slice {field!r}: expected one label for each of {tally.rows} rows, got {len(of_rows)}")
        groups: dict[str, list[int]] = {}
        for row in tally.pairs(first, second):
            label = of_rows[row]
            if label is not None:
                groups.setdefault(label, []).append(row)
        for label, rows in _gathered(groups):
            pairs = [(_reward(one, row), _reward(other, row)) for row in rows]
            found.append(_slice(pairs, field=field, label=label, level=level, width=tally.rewards.width))
    return found


def length_labels(lengths: Sequence[int], unit: str = "characters") -> list[str]:
    """A label a row by the quarter that its length falls in, for a slice by prompt length."""
    ordered = sorted(lengths)
    cuts = [ordered[len(ordered) * quarter // 4] for quarter in (1, 2, 3)] if ordered else []
    names = [f"{part}: up to {cut:,} {unit}" for part, cut in zip(("1st", "2nd", "3rd"), cuts, strict=False)]
    names += [f"4th: over {cut:,} {unit}" for cut in cuts[2:]]
    return [names[sum(length > cut for cut in cuts)] for length in lengths]


def estimate_json(estimate: Estimate | None) -> dict[str, Any] | None:
    """An estimate as report.json holds it."""
    if estimate is None:
        return None
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high, "rows": estimate.rows}


def _gathered(groups: Mapping[str, list[int]]) -> Iterable[tuple[str, list[int]]]:
    ordered = sorted(groups.items(), key=lambda each: (-len(each[1]), each[0]))
    shown = [each for each in ordered[:SLICES] if len(each[1]) >= LEAST_SLICE_ROWS]
    rest = [row for _, rows in ordered[len(shown) :] for row in rows]
    yield from sorted(shown)
    if len(rest) >= LEAST_SLICE_ROWS:
        yield OTHERS, rest


def _slice(
    pairs: Sequence[tuple[float, float]], *, field: str, label: str, level: float, width: float
) -> dict[str, Any]:
    estimate = paired_difference((after - before for before, after in pairs), level=level, width=width).estimate
    return {
        "field": field,
        "label": label,
        "pairs": len(pairs),
        "first": sum(before for before, _ in pairs) / len(pairs),
        "second": sum(after for _, after in pairs) / len(pairs),
        "difference": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
    }


def _share(of_rows: Sequence[float], samples: int, level: float) -> Estimate | None:
    """Accuracy with its interval: Wilson's for one answer a row, by rows for several."""
    if not of_rows:
        return None
    estimate = mean_with_interval(of_rows, level=level, within=SHARES)
    if samples > 1:
        return estimate
    low, high = wilson(round(sum(of_rows)), len(of_rows), level=level)
    return Estimate(estimate.mean, low, high, estimate.rows, estimate.deviation, "Wilson")


def _difference_json(
    difference: PairedDifference | None, first: Estimate | None, second: Estimate | None
) -> dict[str, Any] | None:
    if difference is None:
        return None
    return {
        "first": estimate_json(first),
        "second": estimate_json(second),
        "difference": difference.estimate.mean,
        "low": difference.estimate.low,
        "high": difference.estimate.high,
        "p_value": difference.p_value,
        "pairs": difference.estimate.rows,
        "test": difference.test,
        "method": difference.estimate.method,
    }


def _mean_reward(of_rows: Sequence[float], level: float, within: RewardRange) -> Estimate:
    return mean_with_interval(of_rows, level=level, within=within, width=within.width)


def _reward(candidate: CandidateTally, row: int) -> float:
    reward = candidate.reward(row)
    if reward is None:
        raise ValueError(f"row {row} has no graded answer")
    return reward
