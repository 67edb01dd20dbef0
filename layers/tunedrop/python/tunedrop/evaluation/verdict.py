"""Improved, tied or regressed: what the recipe's level and least useful difference make of the answers."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunedrop.evaluation.answers import BASE, TUNED
from tunedrop.evaluation.comparison import Comparison, candidate_figures, compare, slices
from tunedrop.evaluation.guard_rails import Finding, Profile, check, moved
from tunedrop.evaluation.power import least_detectable
from tunedrop.evaluation.room import room_to_try
from tunedrop.evaluation.tally import Tally
from tunedrop.graders.reward_range import UNIT
from tunedrop.outcomes import EvaluationIncomplete

SCHEMA_VERSION = "1.0"


class Verdict(enum.StrEnum):
    """What the tuned model is, measured against its base."""

    IMPROVED = "improved"
    TIED = "tied"
    REGRESSED = "regressed"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the recipe decides.

    `level` is the chance of a false verdict that is accepted, two-sided; `least_difference` the smallest difference of
    mean reward that is of any use, in the unit of the rewards; `most_ungraded` the share of rows that may be left out.
    """

    level: float = 0.05
    least_difference: float = 0.0
    most_ungraded: float = 0.2


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict with its grounds: `by_rewards` is what the rewards alone say, `reasons` why the verdict differs."""

    verdict: Verdict
    by_rewards: Verdict
    suspected_reward_hacking: bool
    reasons: Sequence[str]
    sentence: str


def judge(comparison: Comparison, findings: Sequence[Finding], rules: Rules) -> Judgement:
    """The verdict on the tuned model (`comparison.second`).

    By rewards it is improved (or regressed) where three things agree: the interval of the difference lies on that side
    of 0, the sign-flip test's p-value is at most the level, and the difference is at least the least useful one. The
    test beside the interval is what keeps few pairs honest: four better rows of four are chance once in eight.

    A model whose rewards improved while its habits got worse, or while it became less often right, is *suspected of
    reward hacking* and never improved: regressed where its accuracy fell beyond chance, else tied.
    """
    by_rewards = _by_rewards(comparison, rules)
    reasons = [finding.message for finding in findings if finding.broken]
    accuracy_fell = comparison.accuracy is not None and comparison.accuracy.estimate.high < 0
    if accuracy_fell and comparison.accuracy is not None:
        reasons.insert(0, f"The share of right answers fell by {-comparison.accuracy.estimate.mean:.1%}.")
    suspected = by_rewards is Verdict.IMPROVED and bool(reasons)
    verdict = by_rewards
    if suspected:
        verdict = Verdict.REGRESSED if accuracy_fell else Verdict.TIED
    return Judgement(
        verdict, by_rewards, suspected, reasons if suspected else (), _sentence(comparison, verdict, suspected, rules)
    )


def evaluate(
    tally: Tally,
    profiles: Mapping[str, Profile],
    rules: Rules,
    *,
    labels: Mapping[str, Sequence[str | None]] | None = None,
    models: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The whole evaluation as evaluation/result.json and report.json hold it.

    `profiles` gives each candidate's habits, `labels` the slices (see `comparison.slices`), `models` the model id of
    each candidate.

    Raises:
        EvaluationIncomplete: base or tuned model has no graded answer, or more rows than the rules allow were left out.
    """
    comparison = compare(tally, BASE, TUNED, level=rules.level)
    require_enough(tally, comparison, rules)
    if comparison is None:
        raise EvaluationIncomplete(
            "none of the test rows has a graded answer of both models; expected at least one. Look in the report at "
            "why answers are missing, mend that, and run it again with `resumes`"
        )
    findings = check(profiles[BASE], profiles[TUNED]) if BASE in profiles and TUNED in profiles else []
    judgement = judge(comparison, findings, rules)
    others = [name for name in tally.candidates if name not in (BASE, TUNED)]
    beside = [compare(tally, other, TUNED, level=rules.level) for other in others]
    discordant = (comparison.gained + comparison.lost) / comparison.pairs
    return {
        "schema_version": SCHEMA_VERSION,
        "rows": tally.rows,
        "samples": tally.samples,
        "level": rules.level,
        "least_difference": rules.least_difference,
        "reward_range": list(tally.rewards),
        "most_ungraded": rules.most_ungraded,
        "verdict": str(judgement.verdict),
        "verdict_by_rewards": str(judgement.by_rewards),
        "suspected_reward_hacking": judgement.suspected_reward_hacking,
        "reasons": list(judgement.reasons),
        "sentence": judgement.sentence,
        "comparison": comparison.to_json(),
        "candidates": {
            name: {"model": (models or {}).get(name), **candidate_figures(candidate, level=rules.level)}
            for name, candidate in tally.candidates.items()
        },
        "other_comparisons": [each.to_json() for each in beside if each is not None],
        "guard_rails": [finding.to_json() for finding in findings],
        "guard_rails_moved": moved(profiles[BASE], profiles[TUNED]) if BASE in profiles and TUNED in profiles else [],
        "slices": slices(tally, BASE, TUNED, labels or {}, level=rules.level),
        "duplicates": tally.duplicates,
        "resolution": {
            "rows": comparison.pairs,
            "discordant": discordant,
            "least_detectable": least_detectable(comparison.pairs, discordant, level=rules.level)
            if discordant
            else None,
        },
    }


def notice_figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """The `evaluation` of the terminal notice, from `evaluate`'s result. All over the same pairs of rows."""
    comparison = result["comparison"]
    reward, accuracy = comparison["reward"], comparison["accuracy"]

    def side(which: str) -> dict[str, Any]:
        return {
            "mean_reward": reward[which]["mean"],
            "accuracy": accuracy[which]["mean"] if accuracy else None,
        }

    return {
        "rows": comparison["pairs"],
        "rows_left_out": comparison["left_out"]["rows"],
        "base": side("first"),
        "tuned": side("second"),
        "difference": reward["difference"],
        "ci_low": reward["low"],
        "ci_high": reward["high"],
        "p_value": reward["p_value"],
        "verdict": result["verdict"],
        "suspected_reward_hacking": result["suspected_reward_hacking"],
        **({} if tuple(result["reward_range"]) == UNIT else {"reward_range": result["reward_range"]}),
    }


def require_enough(tally: Tally, comparison: Comparison | None, rules: Rules) -> None:
    """Raise EvaluationIncomplete, with the reasons and their counts, where too few rows have graded answers."""
    left_out = tally.rows if comparison is None else comparison.left_out
    if comparison is not None and left_out <= rules.most_ungraded * tally.rows:
        return
    told = [
        f"{name}: {_counts(tally, name)}" if name in tally.candidates else f"{name}: no answer at all"
        for name in (BASE, TUNED)
    ]
    asked = [tally.candidates[name] for name in (BASE, TUNED) if name in tally.candidates]
    to_try = room_to_try(candidate.longest_truncated for candidate in asked)
    thoughts = " or lower evaluation.reasoning_effort" if any(each.unfinished_thoughts for each in asked) else ""
    raise EvaluationIncomplete(
        f"{left_out} of {tally.rows} test rows have no graded answer of both models; expected at most "
        f"{rules.most_ungraded:.0%} of them. {'; '.join(told)}. Raise evaluation.max_tokens"
        f"{f' to {to_try}' if to_try else ''}{thoughts} where answers are truncated, fix the grader where it fails, "
        "or raise gates.most_ungraded to get a verdict on the rows that are left; then run it again with `resumes`: "
        "nothing is trained twice."
    )


def _counts(tally: Tally, name: str) -> str:
    candidate = tally.candidates[name]
    counts = [f"{count} answers {reason!r}" for reason, count in candidate.ungraded.most_common(3)]
    if candidate.missing():
        counts.append(f"{candidate.missing()} answers missing")
    return ", ".join(counts) or "all graded"


def _by_rewards(comparison: Comparison, rules: Rules) -> Verdict:
    estimate = comparison.reward.estimate
    if comparison.reward.p_value > rules.level or abs(estimate.mean) < rules.least_difference:
        return Verdict.TIED
    if estimate.low > 0:
        return Verdict.IMPROVED
    return Verdict.REGRESSED if estimate.high < 0 else Verdict.TIED


def _sentence(comparison: Comparison, verdict: Verdict, suspected: bool, rules: Rules) -> str:
    estimate = comparison.reward.estimate
    figures = (
        f"mean reward {comparison.second_reward.mean:.3f} against the base model's {comparison.first_reward.mean:.3f}, "
        f"a difference of {estimate.mean:+.3f} ({1 - rules.level:.0%} interval {estimate.low:+.3f} to "
        f"{estimate.high:+.3f}) over {comparison.pairs:,} rows"
    )
    if suspected:
        return f"Not improved, suspected reward hacking: {figures}, but something it does not measure got worse."
    if verdict is Verdict.TIED:
        within = abs(estimate.mean) < rules.least_difference and (estimate.low > 0 or estimate.high < 0)
        why = "less than the least useful difference" if within else "which chance alone can do"
        return f"Tied: {figures}, {why}."
    return f"{verdict.capitalize()}: {figures}."
