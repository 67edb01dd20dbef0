"""What a rehearsal saw, and its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import Any

from tunedrop.graders.graded import Graded
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.rehearsal.cut_answers import cut_figures
from tunedrop.rehearsal.probes import Probe
from tunedrop.rehearsal.sampling import Group


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything that a rehearsal saw.

    `references` are the grades of the rows' own reference answers. `repeated` are the grades of the groups' answers,
    graded once more in other batches and the reverse order, in the order of the first time. `timings`: samples and
    seconds of each invocation of the grader. `job` is what the job will ask of it.
    """

    groups: Sequence[Group]
    references: Sequence[Graded]
    probed: Sequence[tuple[Probe, Graded]]
    repeated: Sequence[Graded]
    timings: Sequence[tuple[int, float]]
    job: JobSize


@dataclass(frozen=True, slots=True)
class JobSize:
    """What a training job amounts to. The service's hold-out of a tenth is deduced, its group size too."""

    rows: int
    epochs: int
    batch_size: int
    group_size: int

    @property
    def steps(self) -> int:
        """Steps of the job: whole batches of the nine tenths of the rows that are trained on."""
        return max(1, int(self.rows * 0.9) // self.batch_size) * self.epochs

    @property
    def gradings_a_step(self) -> int:
        return self.batch_size * self.group_size

    @property
    def gradings(self) -> int:
        return self.steps * self.gradings_a_step


def figures_of(trial: Trial, rewards_range: RewardRange = UNIT) -> dict[str, Any]:
    """The rehearsal in numbers: rewards as the grader gives them, shares 0 to 1, seconds, lengths in tokens.

    The mean reward and the signal are those of the answers that are whole.
    """
    groups = trial.groups
    graded = [each for group in groups for each in group.graded]
    rewards = [reward for group in groups for reward in group.rewards]
    replies = [reply for group in groups for reply in group.replies]
    latencies = [reply.latency_seconds for reply in replies if reply.latency_seconds is not None]
    lengths = [reply.completion_tokens for reply in replies if reply.completion_tokens is not None]
    # The first invocation may be a cold start, which a job of thousands does not feel.
    timings = list(trial.timings[1:] or trial.timings)
    seconds_a_sample = [seconds / samples for samples, seconds in timings]
    slowest = max(seconds_a_sample, default=0.0)
    return {
        "prompts": len(groups),
        "samples": len(replies),
        "mean_reward": fmean(rewards) if rewards else None,
        "groups_with_signal": sum(group.has_signal for group in groups) / len(groups),
        "spread_within_groups": fmean(group.spread for group in groups),
        "grader_errors": sum(each.ungraded is not None for each in graded) / len(graded),
        "most_common_error": _most_common(graded),
        **cut_figures(replies, graded, rewards_range),
        "paid_unmarked": _paid_unmarked(graded, rewards_range),
        "reference_reward": _mean_reward(trial.references),
        "honest_wrong_reward": _mean_reward([each for probe, each in trial.probed if probe.cheat is None]),
        "cheats": _cheats(trial.probed),
        "unstable": _unstable(graded, trial.repeated),
        "latency_p50": _quantile(latencies, 50),
        "latency_p99": _quantile(latencies, 99),
        "completion_tokens_p50": _quantile(lengths, 50),
        "completion_tokens_p99": _quantile(lengths, 99),
        "grading_seconds_p50": _quantile(seconds_a_sample, 50),
        "grading_seconds_p99": _quantile(seconds_a_sample, 99),
        "step_grading_seconds": slowest * trial.job.gradings_a_step,
        "estimate": {
            "steps": trial.job.steps,
            "gradings": trial.job.gradings,
            "completion_tokens": round(fmean(lengths) * trial.job.gradings) if lengths else None,
        },
    }


def _cheats(probed: Sequence[tuple[Probe, Graded]]) -> dict[str, float | None]:
    names = list(dict.fromkeys(probe.cheat for probe, _ in probed if probe.cheat is not None))
    return {name: _mean_reward([graded for probe, graded in probed if probe.cheat == name]) for name in names}


def _unstable(first: Sequence[Graded], again: Sequence[Graded]) -> float:
    """The share of answers whose second grade differs from the first, in reward or in whether there is one."""
    differ = sum(
        (one.reward is None) != (other.reward is None)
        or (one.reward is not None and other.reward is not None and abs(one.reward - other.reward) > 1e-6)
        for one, other in zip(first, again, strict=True)
    )
    return differ / len(first)


def _paid_unmarked(graded: Sequence[Graded], rewards: RewardRange) -> float | None:
    """The share of the paid answers whose value the grader took without a marker; None where it tells no markers."""
    paid = [each for each in graded if each.reward is not None and each.reward > rewards.low]
    if not any(name.startswith("marker_") for each in paid for name in each.components):
        return None
    return sum(bool(each.components.get("marker_none")) for each in paid) / len(paid)


def _most_common(graded: Sequence[Graded]) -> str | None:
    reasons = Counter(each.ungraded for each in graded if each.ungraded is not None)
    return max(reasons, key=lambda reason: reasons[reason]) if reasons else None


def _mean_reward(graded: Sequence[Graded]) -> float | None:
    rewards = [each.reward for each in graded if each.reward is not None]
    return fmean(rewards) if rewards else None


def _quantile(values: Sequence[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
