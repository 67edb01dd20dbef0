"""What a stream of answers amounts to, row by row, in a few bytes an answer.

One `Tally` takes every answer of every candidate, in any order, once each, and forgets the text. 20,000 rows with three
candidates need some 2 MB; the texts of the rows that flipped are read again in a second pass (`reporting.flips`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil

from tunedrop.evaluation.answers import Answer
from tunedrop.evaluation.statistics import pass_at_k
from tunedrop.graders.reward_range import UNIT, RewardRange

REWARD_BINS = 21
"""Bins of the reward distribution, centred on 0, 0.05, ... 1 of the rewards' range: each usual level has its own."""

_REASONS = 20
_REASON_LENGTH = 120


class CandidateTally:
    """What one candidate's answers amount to. Rows are numbered from 0; every array has one element a row."""

    def __init__(self, rows: int, samples: int, rewards: RewardRange = UNIT) -> None:
        self.rows = rows
        self.samples = samples
        self.rewards = rewards
        self._reward_sums = array("d", bytes(8 * rows))
        self._graded = array("H", bytes(2 * rows))
        self._judged = array("H", bytes(2 * rows))
        self._right = array("H", bytes(2 * rows))
        self._seen = bytearray(-(-rows * samples // 8))
        self._latencies = array("f")
        self._tokens = Counter[str]()
        self.answers = 0
        self.truncated = 0
        self._cut = bytearray(rows)
        self.longest_truncated: int | None = None
        self.unfinished_thoughts = 0
        self.ungraded: Counter[str] = Counter()
        self.reward_bins = [0] * REWARD_BINS

    def add(self, answer: Answer) -> bool:
        """Count an answer; False, and nothing changed, where this row's sample was counted before."""
        place = answer.row * self.samples + answer.sample
        byte, bit = divmod(place, 8)
        if self._seen[byte] >> bit & 1:
            return False
        self._seen[byte] |= 1 << bit
        self.answers += 1
        self.unfinished_thoughts += answer.unfinished
        if answer.truncated:
            self.truncated += 1
            self._cut[answer.row] = 1
            self.longest_truncated = max(self.longest_truncated or 0, answer.completion_tokens or 0)
        self._count_cost(answer)
        if answer.reward is None or not answer.graded:
            # Reasons are free text, of which a broken grader may write a new one for each answer.
            reason = (answer.why_ungraded or "")[:_REASON_LENGTH]
            self.ungraded[reason if reason in self.ungraded or len(self.ungraded) < _REASONS else "other"] += 1
            return True
        self._reward_sums[answer.row] += answer.reward
        self._graded[answer.row] += 1
        share = (answer.reward - self.rewards.low) / self.rewards.width
        self.reward_bins[min(REWARD_BINS - 1, max(0, int(share * (REWARD_BINS - 1) + 0.5)))] += 1
        if answer.correct is not None:
            self._judged[answer.row] += 1
            self._right[answer.row] += answer.correct
        return True

    def _count_cost(self, answer: Answer) -> None:
        for name, value in (("prompt", answer.prompt_tokens), ("completion", answer.completion_tokens)):
            if value is not None:
                self._tokens[name] += value
                self._tokens[f"{name} known"] += 1
        if answer.latency_seconds is not None:
            self._latencies.append(answer.latency_seconds)

    def missing(self) -> int:
        """How many answers of rows times samples never came."""
        return self.rows * self.samples - self.answers

    def graded(self, row: int) -> int:
        """How many of the row's answers have a grade."""
        return self._graded[row]

    def cut(self, row: int) -> bool:
        """Whether one of the row's answers was truncated."""
        return bool(self._cut[row])

    def reward(self, row: int) -> float | None:
        """The row's mean reward over its graded answers, or None where it has none."""
        return self._reward_sums[row] / self._graded[row] if self._graded[row] else None

    def accuracy(self, row: int) -> float | None:
        """The share of right ones among the row's answers that are known as right or wrong, or None."""
        return self._right[row] / self._judged[row] if self._judged[row] else None

    def pass_at(self, k: int) -> float | None:
        """Mean pass@k over the rows with at least k judged answers; None where there is none."""
        rows = [row for row in range(self.rows) if self._judged[row] >= k]
        return sum(pass_at_k(self._judged[row], self._right[row], k) for row in rows) / len(rows) if rows else None

    def tokens(self, kind: str) -> int | None:
        """The sum of "prompt" or "completion" tokens over all answers that told them, or None."""
        return self._tokens[kind] if self._tokens[f"{kind} known"] else None

    def tokens_an_answer(self, kind: str) -> float | None:
        """Mean "prompt" or "completion" tokens an answer, or None where the service told none."""
        known = self._tokens[f"{kind} known"]
        return self._tokens[kind] / known if known else None

    def latency(self, shares: Sequence[float]) -> list[float] | None:
        """The latencies in seconds below which these shares of the answers came (0.5: the median), or None."""
        if not self._latencies:
            return None
        ordered = sorted(self._latencies)
        return [ordered[max(0, ceil(share * len(ordered)) - 1)] for share in shares]


class Tally:
    """The answers of all candidates to one test set of `rows` rows, `samples` answers a row.

    The accuracy counts the answers whose `correct` is not None. `rewards` is the range of their rewards.
    """

    def __init__(self, rows: int, samples: int = 1, rewards: RewardRange = UNIT) -> None:
        if rows < 1 or samples < 1:
            raise ValueError(f"a tally needs at least 1 row and 1 sample, got {rows} rows and {samples} samples")
        self.rows = rows
        self.samples = samples
        self.rewards = rewards
        self.duplicates = 0
        self.candidates: dict[str, CandidateTally] = {}

    def add(self, answer: Answer) -> bool:
        """Count an answer; False where it was counted before (a shard that ran twice), so that nothing counts twice.

        Raises ValueError where the row or the sample lies outside the test set.
        """
        if answer.row >= self.rows or answer.sample >= self.samples:
            raise ValueError(
                f"answer of {answer.candidate} to row {answer.row}, sample {answer.sample}: expected rows below "
                f"{self.rows} and samples below {self.samples}; the answers belong to another test set or plan"
            )
        candidate = self.candidates.get(answer.candidate)
        if candidate is None:
            candidate = self.candidates[answer.candidate] = CandidateTally(self.rows, self.samples, self.rewards)
        added = candidate.add(answer)
        self.duplicates += not added
        return added

    def pairs(self, first: str, second: str) -> Iterator[int]:
        """The rows that count in a comparison: both candidates have at least one graded answer."""
        one, other = self.candidates[first], self.candidates[second]
        return (row for row in range(self.rows) if one.graded(row) and other.graded(row))
