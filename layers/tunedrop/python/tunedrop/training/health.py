"""How a training fares while it goes on: named findings, each with its evidence and what to do about it.

Pure: the metrics of the steps so far in, findings out. Every rule compares windows of steps, since a single step is a
mean of some 32 rollouts. What is healthy is taken from the published runs: rewards from 0.44 to 0.85-0.97 within 67
steps, entropy 0.6-1.1 with a gentle decline, gradient norms in a small band, answers that get shorter or stay as they
are (AWS's walkthrough and best-practices posts on Bedrock reinforcement fine-tuning).

The rules see what the service tells. It tells means over a step, not groups: that all groups were equal is seen by
advantages and policy loss, which are then both exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median

from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.recipe import FindingName

WINDOW = 10
"""Steps of the windows that are compared."""

LEAST_STEPS = 20
"""Steps before anything is judged, two windows, but for the plateau."""

PLATEAU_STEPS = 40
"""Steps before a reward that does not rise counts as a plateau: in the published runs most of the rise is done by
then, and with 20 and 10 steps the difference of the means has a standard error of about 0.035."""

PLATEAU_PROGRESS = 0.5
"""The share of all steps before that: a long training rises as far in more steps."""

PLATEAU_REWARD = 0.15
"""Below this a reward that stays is a warning by AWS's own reading of the metrics, however early. Of a range other than
0 to 1 this, and every threshold of a reward here, is a share."""

PLATEAU_SHARE = 0.1
"""The least share of the way from the first reward to the greatest that a training should have made by then."""

SOLVED_REWARD = 0.9
"""From this mean reward on there is little left to learn: standing still is no finding, nor are equal groups."""

ENTROPY_SHARE = 0.1
"""A tenth of the first steps' entropy is a collapse: the published runs end above a third."""

ENTROPY_FLOOR = 0.1
"""In nats a token. Above it the model still has choices, whatever it began with."""

GRADIENT_FACTOR = 5.0
"""How many times the largest usual gradient norm (the 90th percentile so far) an explosion is. Seen over 75 simulated
healthy runs: at most 2."""

VERBOSITY_FACTOR = 1.5
"""How many times longer answers must have become. The published runs get shorter, by up to a third."""

VERBOSITY_REWARD = 0.05
"""How much the reward must have risen with them."""

EQUAL_SHARE = 0.5
"""The share of steps without any difference within any group from which on the training mostly burns money."""

MOST_LOOKS = 200
"""Most steps that are looked back on at once: more that came between two polls are judged a few at a time."""

ERRORS_SHARE = 0.02
"""The share of gradings with an error from which on it is told: what a recipe's rehearsal tolerates by default."""

ERRORS_LEAST = 10
"""Fewer errors than this are told by no share."""


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """Something about a training that a person should know. `step` is the last step that was seen."""

    name: FindingName
    step: int
    evidence: str
    advice: str

    def to_json(self) -> dict[str, str | int]:
        """As the record and the notice hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Gradings:
    """How many answers the graders graded since the job began, and on how many of them they failed."""

    answers: int
    errors: int


Steps = Sequence[Mapping[str, float]]


def new_findings(
    metrics: Steps,
    known: Collection[str],
    gradings: Gradings | None = None,
    *,
    judged: int = 0,
    rewards: RewardRange = UNIT,
) -> list[HealthFinding]:
    """What the metrics show (a step each, by step, by the names of the service) that is not among `known`.

    `gradings` is None where nobody counted. The first `judged` steps were judged before; from there on it is judged
    step by step, so that a late look finds what an early one would have found. `rewards` is the range that the
    thresholds of rewards are shares of.
    """
    found: dict[str, HealthFinding] = {}
    start = max(LEAST_STEPS, judged + 1)
    stride = 1 + max(0, len(metrics) - start) // MOST_LOOKS
    # Backwards from the last step, so that it is always among those that are looked at.
    for end in reversed(range(len(metrics), start - 1, -stride)):
        seen = metrics[:end]
        for name, rule in _RULES.items():
            if name not in known and name not in found and (sentence := rule(seen, rewards)) is not None:
                found[name] = HealthFinding(name, _step(seen), sentence, _ADVICE[name])
    if gradings is not None and "grader_errors" not in known:
        sentence = _grader_errors(gradings)
        if sentence is not None:
            step = _step(metrics) if metrics else 0
            found["grader_errors"] = HealthFinding("grader_errors", step, sentence, _ADVICE["grader_errors"])
    return list(found.values())


def _reward_plateau(seen: Steps, rewards: RewardRange) -> str | None:
    means = _series(seen, "critic_rewards_mean")
    if len(means) < LEAST_STEPS:
        return None
    first, last = fmean(means[:WINDOW]), fmean(means[-2 * WINDOW :])
    low = rewards.at(PLATEAU_REWARD)
    sentence = f"Mean reward {first:.3f} in the first {WINDOW} steps, {last:.3f} in the last {2 * WINDOW}"
    if len(means) >= 3 * WINDOW and last < low and last - first < VERBOSITY_REWARD * rewards.width:
        return f"{sentence}: it stays below {low:g}."
    enough = max(PLATEAU_STEPS, PLATEAU_PROGRESS * seen[-1].get("total_steps", 0))
    rose = last - first >= PLATEAU_SHARE * (rewards.high - first)
    if len(means) >= enough and last < rewards.at(SOLVED_REWARD) and not rose:
        return f"{sentence}: less than {PLATEAU_SHARE:.0%} of the way to {rewards.high:g}."
    return None


def _entropy_collapse(seen: Steps, rewards: RewardRange) -> str | None:
    entropies = _series(seen, "actor_entropy")
    if len(entropies) < LEAST_STEPS or _solved(seen, rewards):
        return None
    first, last = fmean(entropies[:WINDOW]), fmean(entropies[-WINDOW // 2 :])
    if last < ENTROPY_FLOOR and last < ENTROPY_SHARE * first:
        return f"Entropy {first:.3f} in the first {WINDOW} steps, {last:.3f} in the last {WINDOW // 2}."
    return None


def _exploding_gradients(seen: Steps, _: RewardRange) -> str | None:
    norms = _series(seen, "actor_grad_norm")
    if len(norms) < LEAST_STEPS:
        return None
    before, last = sorted(norms[: -WINDOW // 2]), median(norms[-WINDOW // 2 :])
    usual = before[int(0.9 * len(before))]
    if 0 < usual < last / GRADIENT_FACTOR:
        return f"Gradient norm {last:.3g} (median of {WINDOW // 2} steps); nine of ten before had at most {usual:.3g}."
    return None


def _verbosity(seen: Steps, rewards: RewardRange) -> str | None:
    lengths, means = _series(seen, "response_length_mean"), _series(seen, "critic_rewards_mean")
    if len(lengths) < LEAST_STEPS or len(means) < LEAST_STEPS:
        return None
    short, long = fmean(lengths[:WINDOW]), fmean(lengths[-WINDOW:])
    low, high = fmean(means[:WINDOW]), fmean(means[-WINDOW:])
    if long > VERBOSITY_FACTOR * short > 0 and high > low + VERBOSITY_REWARD * rewards.width:
        return (
            f"Answers grew from {short:.0f} to {long:.0f} tokens while the reward rose from {low:.3f} to {high:.3f} "
            f"(first and last {WINDOW} steps)."
        )
    return None


def _all_equal_groups(seen: Steps, rewards: RewardRange) -> str | None:
    last = [each for each in seen[-WINDOW:] if "critic_advantages_mean" in each and "actor_pg_loss" in each]
    if len(last) < WINDOW or _solved(seen, rewards):
        return None
    equal = sum(abs(each["critic_advantages_mean"]) < 1e-9 and abs(each["actor_pg_loss"]) < 1e-9 for each in last)
    if equal >= EQUAL_SHARE * WINDOW:
        return f"In {equal} of the last {WINDOW} steps all advantages were zero: each group had equal rewards."
    return None


def _grader_errors(gradings: Gradings) -> str | None:
    share = gradings.errors / gradings.answers if gradings.answers else 0.0
    if gradings.errors >= ERRORS_LEAST and share > ERRORS_SHARE:
        return f"The grader failed on {gradings.errors} of {gradings.answers} answers ({share:.1%})."
    return None


_RULES: Mapping[FindingName, Callable[[Steps, RewardRange], str | None]] = {
    "reward_plateau": _reward_plateau,
    "entropy_collapse": _entropy_collapse,
    "exploding_gradients": _exploding_gradients,
    "verbosity": _verbosity,
    "all_equal_groups": _all_equal_groups,
}

_ADVICE: Mapping[FindingName, str] = {
    "reward_plateau": "Look at rehearsal.json: rows that are too hard or too easy teach nothing. Give partial credit, "
    "leave such rows out, or raise the learning rate.",
    "entropy_collapse": "The model gives only one kind of answer and no longer explores. Lower the learning rate or "
    "the number of epochs; look in the answers for what the grader rewards.",
    "exploding_gradients": "Updates have become much larger than before. Stop the run if the reward falls, and "
    "lower the learning rate or raise the batch size.",
    "verbosity": "The grader may reward length. Compare answers of both models in the report, and make the "
    "grader subtract reward for length.",
    "grader_errors": "Answers that the grader fails on count as 0 and teach the wrong thing. Look at the grader's log.",
    "all_equal_groups": "Such steps teach nothing and cost the same. The rows are too easy, too hard, or the grader "
    "does not tell answers apart. Look at rehearsal.json.",
}


def _series(seen: Steps, name: str) -> list[float]:
    return [each[name] for each in seen if name in each]


def _solved(seen: Steps, rewards: RewardRange) -> bool:
    means = _series(seen, "critic_rewards_mean")
    return bool(means) and fmean(means[-WINDOW:]) >= rewards.at(SOLVED_REWARD)


def _step(seen: Steps) -> int:
    return int(seen[-1].get("step", len(seen)))
