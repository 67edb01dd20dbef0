"""What a rehearsal found, and whether the job is worth its money."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, quantiles
from typing import Any

from tunedrop.evaluation.answers import MOST_OF_A_THOUGHT
from tunedrop.evaluation.power import rows_needed
from tunedrop.graders.graded import Graded
from tunedrop.graders.reward_range import UNIT, RewardRange
from tunedrop.outcomes import GraderUnsound, NoSignal
from tunedrop.recipe import Gates
from tunedrop.rehearsal.copied_json import COPIES
from tunedrop.rehearsal.cut_answers import advice_on_cut_answers, cut_figures
from tunedrop.rehearsal.probes import Probe
from tunedrop.rehearsal.sampling import Group
from tunedrop.sampling.question import Reply

PAID_UNMARKED = 0.5
"""The share of the paid answers without a marker from which on it is worth a warning."""

GRADER_RULES = frozenset({"grader_errors", "cheat_pays", "not_deterministic", "too_slow", "reference_scores_low"})
"""Findings about the grader itself; the others are about what it sees of the base model."""


class Severity(enum.StrEnum):
    """What a finding means for the run."""

    STOP = "stop"
    WARNING = "warning"


class Verdict(enum.StrEnum):
    """What a rehearsal says of the job."""

    GO = "go"
    GO_WITH_WARNINGS = "go with warnings"
    NO_GO = "no-go"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rehearsal found: what it is, the evidence, and what to do."""

    rule: str
    severity: Severity
    message: str
    advice: str


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


def figures(trial: Trial, rewards_range: RewardRange = UNIT) -> dict[str, Any]:
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


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Whether the job may be submitted."""
    if any(finding.severity is Severity.STOP for finding in findings):
        return Verdict.NO_GO
    return Verdict.GO_WITH_WARNINGS if findings else Verdict.GO


def document(trial: Trial, numbers: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, Any]:
    """rehearsal.json: the figures, the findings, and every answer with its grade."""
    return {
        **numbers,
        "verdict": str(verdict_of(findings)),
        "findings": [asdict(finding) for finding in findings],
        "groups": [
            {
                "messages": group.row["messages"],
                "answers": [
                    {"answer": reply.text, **_thought(reply), "finish_reason": reply.finish_reason, **_grade(graded)}
                    for reply, graded in zip(group.replies, group.graded, strict=True)
                ],
            }
            for group in trial.groups
        ],
        "probes": [
            {"cheat": probe.cheat, "answer": probe.answer[:2_000], **_grade(graded)} for probe, graded in trial.probed
        ],
    }


def _thought(reply: Reply) -> dict[str, str]:
    """What the model thought beside its answer, where its host shows it."""
    return {"thought": reply.thought[-MOST_OF_A_THOUGHT:]} if reply.thought else {}


def stop_if_hopeless(findings: Sequence[Finding]) -> None:
    """Raise what the findings say, all of it at once, where one of them stops the run.

    Raises:
        GraderUnsound: the grader itself is at fault.
        NoSignal: the grader works, but there is nothing to learn from.
    """
    stops = [finding for finding in findings if finding.severity is Severity.STOP]
    if not stops:
        return
    message = " ".join(f"{finding.message} {finding.advice}" for finding in stops)
    if any(finding.rule in GRADER_RULES for finding in stops):
        raise GraderUnsound(message)
    raise NoSignal(message)


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


def _grade(graded: Graded) -> dict[str, Any]:
    return {"reward": graded.reward, "ungraded": graded.ungraded, "explanation": graded.explanation}


def _quantile(values: Sequence[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
