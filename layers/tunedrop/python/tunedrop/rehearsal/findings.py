"""What a rehearsal's figures mean: its findings, by the recipe's gates."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunedrop.evaluation.power import rows_needed
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.recipe import Gates
from tunedrop.rehearsal.copied_json import COPIES
from tunedrop.rehearsal.cut_answers import advice_on_cut_answers

PAID_UNMARKED = 0.5
"""The share of the paid answers without a marker from which on it is worth a warning."""


class Severity(enum.StrEnum):
    """What a finding means for the run."""

    STOP = "stop"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rehearsal found: what it is, the evidence, and what to do."""

    rule: str
    severity: Severity
    message: str
    advice: str


def judge(numbers: Mapping[str, Any], gates: Gates, rewards: RewardRange = UNIT) -> list[Finding]:
    """What the figures mean, by the recipe's gates. The thresholds follow AWS's advice on the baseline reward.

    `rewards` is the range that the gates' levels of reward are shares of.
    """
    findings: list[Finding] = []

    def found(rule: str, severity: Severity, message: str, advice: str) -> None:
        findings.append(Finding(rule, severity, message, advice))

    errors = numbers["grader_errors"]
    if errors > gates.most_grader_errors:
        found(
            "grader_errors",
            Severity.STOP,
            f"The grader failed on {errors:.0%} of {numbers['samples']} answers; {gates.most_grader_errors:.0%} is "
            f"allowed (`gates.most_grader_errors`).{_most_often(numbers)}",
            "Look at the grader's log, and at the answers that it failed on, in rehearsal.json.",
        )
    findings += _about_cheats(numbers, gates, rewards)
    if numbers["unstable"] > gates.most_unstable:
        found(
            "not_deterministic",
            Severity.STOP,
            f"Answers that were graded again in other batches got different rewards in {numbers['unstable']:.0%} of "
            f"the cases; {gates.most_unstable:.0%} is allowed (`gates.most_unstable`).",
            "A grade may depend only on its sample: not on a clock, on chance, or on earlier samples.",
        )
    if numbers["step_grading_seconds"] > gates.most_step_seconds:
        found(
            "too_slow",
            Severity.STOP,
            f"Grading one step would take {numbers['step_grading_seconds']:.0f} s; {gates.most_step_seconds:g} s is "
            "allowed (`gates.most_step_seconds`): the service expects a grader to need seconds, not minutes.",
            "Make the grader faster, give its function more memory, or lower `batch_size`.",
        )
    findings += _about_rewards(numbers, gates, rewards)
    if (advice := advice_on_cut_answers(numbers)) is not None:
        found("answers_truncated", Severity.WARNING, *advice)
    return findings + _about_test_set(numbers, gates)


def _about_test_set(numbers: Mapping[str, Any], gates: Gates) -> list[Finding]:
    """A warning where the test set cannot show what the recipe wants to know: better known before it is paid for."""
    test_set = numbers.get("test_set")
    if test_set is None:
        return []
    rows, discordant, least = test_set["rows"], test_set["assumed_discordant"], test_set["least_detectable"]
    chance = f"a chance of {test_set['power']:.0%}, if {discordant:.0%} of the rows come out differently"
    if least is None:
        wanted = max(gates.least_difference, discordant / 2)
        message = f"{rows} test rows cannot show any difference with {chance}."
    elif least > gates.least_difference > 0:
        wanted = gates.least_difference
        message = (
            f"{rows} test rows show differences of accuracy from {least:.1%} on with {chance}; the smallest "
            f"that the recipe calls useful is {gates.least_difference:.1%} (`gates.least_difference`)."
        )
    else:
        return []
    needed = rows_needed(min(wanted, discordant), discordant, level=test_set["level"], power=test_set["power"])
    return [
        Finding(
            "test_set_too_small",
            Severity.WARNING,
            message,
            f"To show a difference of {wanted:.1%}, drop a test.jsonl of about {needed:,} rows.",
        )
    ]


def _most_often(numbers: Mapping[str, Any]) -> str:
    cause = numbers.get("most_common_error")
    return f" Most often: {cause}." if cause else ""


def _about_cheats(numbers: Mapping[str, Any], gates: Gates, rewards: RewardRange) -> list[Finding]:
    honest = numbers["honest_wrong_reward"]
    if honest is None:
        return []
    most = honest + gates.cheat_margin * rewards.width
    paid = {name: reward for name, reward in numbers["cheats"].items() if reward is not None and reward > most}
    allowed = f"(`gates.cheat_margin` allows {gates.cheat_margin * rewards.width:g} more)"
    findings = []
    if cheats := _told({name: reward for name, reward in paid.items() if name not in COPIES}):
        findings.append(
            Finding(
                "cheat_pays",
                Severity.STOP,
                f"Cheats earn more than honest wrong answers ({honest:.2f} on average): {cheats} {allowed}.",
                "The model would learn to cheat. Grade only the last committed answer, and give nothing for the rest.",
            )
        )
    if copies := _told({name: reward for name, reward in paid.items() if name in COPIES}):
        findings.append(
            Finding(
                "copying_pays",
                Severity.WARNING,
                f"Copying JSON from the prompt earns more than honest wrong answers ({honest:.2f} on average): "
                f"{copies} {allowed}.",
                "If the task is more than copying, give what can be copied the `weight` 0, with a `gate` if it must "
                "be right.",
            )
        )
    return findings


def _told(paid: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {reward:.2f}" for name, reward in sorted(paid.items()))


def _about_rewards(numbers: Mapping[str, Any], gates: Gates, rewards: RewardRange) -> list[Finding]:
    findings: list[Finding] = []
    mean, signal, reference = numbers["mean_reward"], numbers["groups_with_signal"], numbers["reference_reward"]
    if mean is None and not numbers["truncated"]:
        return findings
    if mean is None:
        told = "were all cut off" if numbers["truncated"] == 1 else "were cut off, or the grader failed on them"
        return [
            Finding(
                "no_whole_answer",
                Severity.STOP,
                f"No answer of the base model counts: they {told}. So nothing is known of its rewards.",
                "Give the answers more room, and see what the grader does with whole ones.",
            )
        ]
    if (unmarked := numbers["paid_unmarked"]) is not None and unmarked > PAID_UNMARKED:
        findings.append(
            Finding(
                "unmarked_answers_pay",
                Severity.WARNING,
                f"{unmarked:.0%} of the paid answers mark no answer: the grader took their last value, which may be "
                "right by chance.",
                "Ask for a marker in the prompt, and set the grader's option `require_format` or `no_marker: wrong`.",
            )
        )
    if mean < (least := rewards.at(gates.least_baseline)):
        findings.append(
            Finding(
                "baseline_too_low",
                Severity.STOP,
                f"The base model's mean reward is {mean:.3f}; at least {least:g} is needed "
                f"({rewards.named('gates.least_baseline', gates.least_baseline)}): a model does not learn what is "
                "never rewarded.",
                "Fine-tune on examples first, ease the task, or give partial credit.",
            )
        )
    if mean > (most := rewards.at(gates.most_baseline)):
        findings.append(
            Finding(
                "baseline_too_high",
                Severity.STOP,
                f"The base model's mean reward is {mean:.3f} already; above {most:g} "
                f"({rewards.named('gates.most_baseline', gates.most_baseline)}) there is hardly anything left to "
                "learn.",
                "Use harder rows or a stricter grader, or keep the base model.",
            )
        )
    if signal < gates.least_groups_with_signal:
        findings.append(
            Finding(
                "no_signal_within_groups",
                Severity.STOP,
                f"In {1 - signal:.0%} of the groups all answers got the same reward; rewards must differ in at least "
                f"{gates.least_groups_with_signal:.0%} (`gates.least_groups_with_signal`): GRPO learns only from "
                "the differences.",
                "Use rows of middling difficulty, or a grader with partial credit.",
            )
        )
    if reference is not None and reference < mean:
        findings.append(
            Finding(
                "reference_scores_low",
                Severity.STOP,
                f"The reference answers score {reference:.3f}, less than the base model's {mean:.3f}.",
                "Check that the grader reads the references as you mean them.",
            )
        )
    elif reference is not None and reference < (wanted := rewards.at(gates.least_reference)):
        findings.append(
            Finding(
                "reference_scores_low",
                Severity.WARNING,
                f"The reference answers score {reference:.3f}; at least {wanted:g} is "
                f"expected ({rewards.named('gates.least_reference', gates.least_reference)}).",
                "Look at the references that score low: they are wrong, or the grader reads them differently.",
            )
        )
    return findings
