"""What the figures of a run suggest to do next: at most three things, each with its reason and its figure.

Pure: report.json in, advice out. Each rule says where its threshold comes from. The rules stand in the order of their
weight: first what makes the verdict itself doubtful, then what a next run would gain most from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from tunedrop.evaluation.answers import BASE, CHECKPOINT, TUNED
from tunedrop.evaluation.power import rows_needed
from tunedrop.evaluation.room import MORE_ROOM
from tunedrop.graders.json_parts import NO_JSON
from tunedrop.graders.reward_range import RewardRange
from tunedrop.recipe import MOST_ANSWER_TOKENS
from tunedrop.reporting.wording import file_name, number, words

MOST_ADVICE = 3

TRUNCATED_SHARE = 0.02
"""From this share of truncated answers on, longer answers are worth a try: every such answer is left out of the
comparison, and 2% is as much as `gates.most_grader_errors` tolerates of answers without a grade."""

FALL_SHARE = 0.05
"""How far the reward must have fallen from its best window, as a share of the range, to call it past its best: beyond
the standard error of 0.035 that the mean of 20 steps has in the published runs (`training.health`)."""

RISE_SHARE = 0.035
"""How much the last window must lie above the one before to call the reward still rising: the same standard error."""

WINDOW = 10
"""Steps of the windows that are compared, as `training.health` compares them."""

SOLVED = 0.95
"""From this mean reward of the tuned model on, as a share of the range, hardly anything is left to learn: the recipe's
default for `gates.most_baseline` calls a base model that good not worth a training."""

SIGNAL_SHARE = 0.5
"""Below this share of groups with signal in the rehearsal, half of what is paid for teaches nothing (GRPO learns from
differences within a group: AWS's best practices for reinforcement fine-tuning)."""

FIELD_SHARE = 0.4
"""A field that costs this share of all that the tuned model loses is the one to look at first. Ours: with five fields
that cost alike, each costs a fifth."""

FIELD_COST = 0.02
"""And this much of the mean reward, as a share of the range: less is not worth a run."""

NO_ANSWER_SHARE = 0.05
"""From this share of answers on that the grader could not read a label from, the format is worth a word. Ours."""

WRONG_SHARE = 0.1
"""From this share of rows on that are still wrong, more training rows like them are worth collecting. Ours."""

LONGER = 1.5
"""How many times longer answers must have become, as in `training.health`."""

MOST_ROWS_TO_ASK_FOR = 20_000
"""A dataset of the service has no more rows (docs/limits.md)."""

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do next. `rule` names the rule, `figure` is what it rests on, `recipe` a field to change, if any."""

    rule: str
    action: str
    reason: str
    figure: str
    recipe: str = ""


def advise(report: Report) -> list[dict[str, str]]:
    """At most three things that the report's figures suggest, the weightiest first; none where nothing stands out.

    For a run that ended before its evaluation they are what its own findings say.
    """
    if report.get("evaluation") is None:
        return [asdict(each) for each in _of_findings(report)[:MOST_ADVICE]]
    found = [advice for rule in _RULES if (advice := rule(report)) is not None]
    return [asdict(each) for each in found[:MOST_ADVICE]]


def _of_findings(report: Report) -> list[Advice]:
    """What stopped the run, by rule: the errors of the dataset, and what the rehearsal found."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in [*report["findings"], *((report["rehearsal"] or {}).get("findings") or [])]:
        advice = finding.get("advice") or finding.get("hint")
        if finding.get("severity") in ("error", "stop") and advice:
            found.setdefault(str(finding["rule"]), []).append(finding)
    return [
        Advice(
            rule,
            str(findings[0].get("advice") or findings[0].get("hint")),
            str(findings[0]["message"]),
            _place(findings[0], len(findings)),
        )
        for rule, findings in found.items()
    ]


def _place(finding: Mapping[str, Any], count: int) -> str:
    place = (
        f"{file_name(str(finding['file']))} line {finding['line']}"
        if finding.get("line")
        else words(str(finding["rule"]))
    )
    return f"{place}, and {count - 1:,} more" if count > 1 else place


def _hacking(report: Report) -> Advice | None:
    evaluation = report["evaluation"]
    if not evaluation["suspected_reward_hacking"]:
        return None
    return Advice(
        "stricter_grader",
        "Make the grader stricter before you train again",
        "The reward rose while something that it does not measure got worse: the next run would learn the same trick.",
        str(evaluation["reasons"][0]) if evaluation["reasons"] else "suspected reward hacking",
        "grader",
    )


def _truncated(report: Report) -> Advice | None:
    figures = report["evaluation"]["candidates"][TUNED]
    share = figures["truncated"] / max(1, figures["answers"])
    asked = ((report["recipe"] or {}).get("evaluation") or {}).get("max_tokens")
    if share < TRUNCATED_SHARE or not asked or asked >= MOST_ANSWER_TOKENS:
        return None
    return Advice(
        "longer_answers",
        f"Let answers be longer: evaluation.max_tokens {min(MORE_ROOM * asked, MOST_ANSWER_TOKENS):,}",
        f"Answers that reach the limit of {asked:,} tokens are left out of the comparison. Test the same model again "
        "with `tunedrop evaluate`: nothing is trained.",
        f"{figures['truncated']:,} of {figures['answers']:,} answers of the tuned model were cut off ({share:.1%})",
        "evaluation.max_tokens",
    )


def _better_checkpoint(report: Report) -> Advice | None:
    better = [
        each
        for each in report["evaluation"]["other_comparisons"]
        if each["first"].startswith(CHECKPOINT) and each["reward"]["high"] < 0
    ]
    if not better:
        return None
    best = min(better, key=lambda each: each["reward"]["difference"])
    step = best["first"].removeprefix(CHECKPOINT)
    return Advice(
        "this_checkpoint",
        f"Use the checkpoint of step {step}, or let the next run choose it: evaluation.checkpoints best",
        "It is better than the model at the end, beyond chance, on the rows that both answered.",
        f"mean reward {-best['reward']['difference']:+.3f} over {best['pairs']:,} rows",
        "evaluation.checkpoints",
    )


def _stop_earlier(report: Report) -> Advice | None:
    means, width = _rewards(report), _range(report).width
    if len(means) < 3 * WINDOW:
        return None
    windows = [(start, fmean(means[start : start + WINDOW])) for start in range(len(means) - WINDOW + 1)]
    start, best = max(windows, key=lambda each: each[1])
    last = fmean(means[-WINDOW:])
    if best - last < FALL_SHARE * width:
        return None
    return Advice(
        "stop_earlier",
        "Train less, or take the best checkpoint: evaluation.checkpoints best",
        "The reward was higher before the end of the training.",
        f"mean of {WINDOW} steps {best:.3f} up to step {start + WINDOW}, {last:.3f} at the end",
        "evaluation.checkpoints",
    )


def _lower_rate(report: Report) -> Advice | None:
    unstable = ("exploding_gradients", "entropy_collapse")
    found = next((each for each in _health(report) if each["rule"] in unstable), None)
    if found is None:
        return None
    return Advice(
        "lower_learning_rate",
        f"Lower the learning rate: half of {_rate(report)}",
        "The training became unstable.",
        f"{found['message']} (step {found['step']})",
        _rate(report),
    )


def _field(report: Report) -> Advice | None:
    parts = report["evaluation"].get("parts") or {}
    if parts.get("of") not in ("fields", "labels", "parts"):
        return None
    costs = {row["name"]: row["candidates"].get(TUNED, {}).get("cost", 0.0) for row in parts["rows"]}
    total = sum(costs.values())
    named = [each for each in costs if not each.startswith("(")]
    name = max(named, key=lambda each: costs[each], default=None)
    if name is None or len(costs) < 2 or costs[name] < max(FIELD_SHARE * total, FIELD_COST * _range(report).width):
        return None
    what = str(parts["of"]).removesuffix("s")
    return Advice(
        f"this_{what}",
        f"Look at the {what} `{name}` first",
        f"It costs the tuned model the most. Read the rows where it is wrong: if the references are right, add "
        f"training rows in which this {what} is hard, or give it more weight.",
        f"{costs[name]:.3f} of the mean reward, {costs[name] / total:.0%} of what all {parts['of']} cost",
    )


def _format(report: Report) -> Advice | None:
    parts = report["evaluation"].get("parts") or {}
    figures = next((row["candidates"].get(TUNED) for row in parts.get("rows") or () if row["name"] == NO_JSON), None)
    unread, answers = figures["answers"] if figures else 0, _graded(report)
    if unread and unread >= NO_ANSWER_SHARE * answers:
        return Advice(
            "stricter_format",
            "Ask for the format in the prompt: one JSON document or call, and nothing else",
            "The grader can read no document from these answers, whatever the model meant.",
            f"{unread:,} of {answers:,} answers of the tuned model ({unread / answers:.0%})",
        )
    confusion = ((report["evaluation"].get("parts") or {}).get("confusion") or {}).get(TUNED)
    if not confusion or "(none)" not in confusion["given"]:
        return None
    place = confusion["given"].index("(none)")
    without = sum(row[place] for row in confusion["counts"])
    total = sum(map(sum, confusion["counts"]))
    if without < NO_ANSWER_SHARE * total:
        return None
    return Advice(
        "stricter_format",
        "Ask for the format in the prompt: one label, and nothing else",
        "The grader can read no label from these answers, whatever the model meant.",
        f"{without:,} of {total:,} answers of the tuned model ({without / total:.0%})",
    )


def _graded(report: Report) -> int:
    """How many answers of the tuned model have a grade."""
    figures = report["evaluation"]["candidates"][TUNED]
    count: int = figures["answers"] - sum(figures["ungraded"].values())
    return count


def _more_steps(report: Report) -> Advice | None:
    means, rewards = _rewards(report), _range(report)
    if len(means) < 3 * WINDOW:
        return None
    last, before = fmean(means[-WINDOW:]), fmean(means[-2 * WINDOW : -WINDOW])
    if last - before < RISE_SHARE * rewards.width or last >= rewards.at(SOLVED):
        return None
    epochs = "epochCount" if _nova(report) else "n_epochs"
    return Advice(
        "train_longer",
        f"Train longer: {epochs} {int(_hyperparameters(report).get(epochs) or 1) + 1}",
        "The reward was still rising when the training ended.",
        f"mean of {WINDOW} steps {before:.3f}, then {last:.3f} in the last {WINDOW}",
        f"hyperparameters.{epochs}",
    )


def _higher_rate(report: Report) -> Advice | None:
    found = next((each for each in _health(report) if each["rule"] == "reward_plateau"), None)
    if found is None:
        return None
    return Advice(
        "higher_learning_rate",
        f"Raise the learning rate: twice {_rate(report)}",
        "The reward hardly moved, though there was something left to learn.",
        str(found["message"]),
        _rate(report),
    )


def _signal(report: Report) -> Advice | None:
    share = (report["rehearsal"] or {}).get("groups_with_signal")
    if share is None or share >= SIGNAL_SHARE:
        return None
    return Advice(
        "rows_of_middling_difficulty",
        "Use more rows of middling difficulty, or give partial credit",
        "A group whose answers all get the same reward teaches nothing, and costs the same.",
        f"only {share:.0%} of the rehearsed groups had different rewards",
    )


def _harder(report: Report) -> Advice | None:
    tuned = report["evaluation"]["comparison"]["reward"]["second"]["mean"]
    if tuned < _range(report).at(SOLVED):
        return None
    return Advice(
        "harder_prompts",
        "Collect harder prompts before you train again",
        "The tuned model has nearly all there is to get: a further run on such rows can hardly gain anything.",
        f"mean reward {tuned:.3f} of at most {_range(report).high:g}",
    )


def _larger_test_set(report: Report) -> Advice | None:
    evaluation = report["evaluation"]
    compared, discordant = evaluation["comparison"], evaluation["resolution"]["discordant"]
    accuracy = compared["accuracy"]
    difference = abs(accuracy["difference"]) if accuracy else 0.0
    if evaluation["verdict"] != "tied" or not 0 < difference <= discordant:
        return None
    needed = rows_needed(difference, discordant, level=evaluation["level"])
    if not compared["pairs"] < needed <= MOST_ROWS_TO_ASK_FOR:
        return None
    return Advice(
        "larger_test_set",
        f"Test on about {needed:,} rows",
        "So many show a difference as large as the one that was seen, four times in five; these leave it to chance.",
        f"a difference of accuracy of {accuracy['difference']:+.1%} over {compared['pairs']:,} rows",
        "evaluation.rows",
    )


def _longer(report: Report) -> Advice | None:
    of_both = [report["evaluation"]["candidates"][name]["completion_tokens_an_answer"] for name in (BASE, TUNED)]
    if None in of_both or of_both[1] < LONGER * of_both[0] or of_both[0] == 0:
        return None
    return Advice(
        "shorter_answers",
        "Take something from the reward for length",
        "Answers became much longer, and every token of them is paid for.",
        f"{number(of_both[0], 'count')} tokens an answer became {number(of_both[1], 'count')}",
        "grader",
    )


def _more_rows(report: Report) -> Advice | None:
    compared = report["evaluation"]["comparison"]
    wrong = (compared["accuracy"] or {}).get("second", {}).get("mean")
    if wrong is None or 1 - wrong < WRONG_SHARE:
        return None
    count = round((1 - wrong) * compared["pairs"])
    rows = (report["dataset"] or {}).get("rows")
    return Advice(
        "rows_like_those_that_fail",
        "Add training rows like those that still fail",
        "Filter the rows below by what still fails to see what they have in common. Keep those themselves for testing: "
        "a model that has trained on them is no longer tested by them.",
        f"{count:,} of {compared['pairs']:,} test rows are still wrong"
        + (f"; it was trained on {rows:,} rows" if rows is not None else ""),
    )


_RULES: Sequence[Callable[[Report], Advice | None]] = (
    _hacking,
    _truncated,
    _better_checkpoint,
    _stop_earlier,
    _lower_rate,
    _field,
    _format,
    _more_steps,
    _higher_rate,
    _signal,
    _harder,
    _larger_test_set,
    _longer,
    _more_rows,
)


def _rewards(report: Report) -> list[float]:
    """The mean reward of each step, where the service tells it."""
    keys = ("critic_rewards_mean", "critic/rewards/mean")
    steps = (report["training"] or {}).get("metrics") or []
    told = [next((step[key] for key in keys if step.get(key) is not None), None) for step in steps]
    return [reward for reward in told if reward is not None]


def _range(report: Report) -> RewardRange:
    low, high = report["evaluation"]["reward_range"]
    return RewardRange(low, high)


def _health(report: Report) -> Sequence[Mapping[str, Any]]:
    return (report["training"] or {}).get("health") or []


def _hyperparameters(report: Report) -> Mapping[str, Any]:
    return (report["recipe"] or {}).get("hyperparameters") or {}


def _rate(report: Report) -> str:
    return "learningRate" if _nova(report) else "learning_rate_multiplier"


def _nova(report: Report) -> bool:
    """Whether the hyperparameters have Nova's names."""
    return "nova" in str(report["base_model"])
