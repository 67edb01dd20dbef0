from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tunedrop.evaluation.power import resolution
from tunedrop.graders.graded import Graded
from tunedrop.outcomes import GraderUnsound, NoSignal
from tunedrop.recipe import Gates
from tunedrop.rehearsal.figures import JobSize, Trial, figures_of
from tunedrop.rehearsal.findings import judge
from tunedrop.rehearsal.probes import Probe
from tunedrop.rehearsal.sampling import Group, choose_lines
from tunedrop.rehearsal.verdict import GRADER_RULES, Verdict, document, stop_if_hopeless, verdict_of
from tunedrop.sampling.question import Reply

ROW = {"messages": [{"role": "user", "content": "1 + 1?"}], "reference_answer": "2"}
HEALTHY = [(0, 1, 0, 1), (1, 1, 1, 1), (0, 0, 0, 1)]


def group(rewards: Sequence[float | None]) -> Group:
    graded = [Graded(str(n), reward, ungraded=None if reward is not None else "x") for n, reward in enumerate(rewards)]
    replies = [Reply("2", "stop", 5, 10 + n, 0.5) for n in range(len(rewards))]
    return Group(ROW, replies, graded)


def trial(groups: Sequence[Sequence[float | None]] = HEALTHY, reference: float = 1.0) -> Trial:
    made = [group(rewards) for rewards in groups]
    return Trial(
        groups=made,
        references=[Graded("r", reward=reference)],
        probed=[(Probe(ROW, None, "3"), Graded("w", 0.0)), (Probe(ROW, "hedging", "2 or 3"), Graded("h", 0.0))],
        repeated=[each for one in made for each in one.graded],
        timings=[(64, 9.0), (64, 0.1), (36, 0.1)],
        job=JobSize(rows=300, epochs=1, batch_size=4, group_size=8),
    )


def rules(of: Trial) -> set[str]:
    return {finding.rule for finding in judge(figures_of(of), Gates())}


def test_a_model_that_is_right_now_and_then_may_train() -> None:
    findings = judge(figures_of(trial()), Gates())
    assert verdict_of(findings) is Verdict.GO
    stop_if_hopeless(findings)


@pytest.mark.parametrize(
    ("groups", "expected", "outcome"),
    [
        ([(0, 0, 0, 0)] * 4, {"baseline_too_low", "no_signal_within_groups"}, NoSignal),
        ([(1, 1, 1, 1)] * 4, {"baseline_too_high", "no_signal_within_groups"}, NoSignal),
        ([(0.5, 0.5)] * 4, {"no_signal_within_groups"}, NoSignal),
        ([(0, 1, None, 1)] * 4, {"grader_errors"}, GraderUnsound),
        ([(None, None)] * 4, {"grader_errors"}, GraderUnsound),
    ],
)
def test_what_could_not_learn_is_stopped_with_everything_that_speaks_against_it(
    groups: list[tuple[float | None, ...]], expected: set[str], outcome: type[Exception]
) -> None:
    findings = judge(figures_of(trial(groups)), Gates())
    assert {finding.rule for finding in findings} == expected
    assert verdict_of(findings) is Verdict.NO_GO
    with pytest.raises(outcome) as raised:
        stop_if_hopeless(findings)
    for finding in findings:
        assert finding.message in str(raised.value)


def test_a_grader_that_pays_for_a_cheat_is_stopped_and_the_cheat_is_named() -> None:
    paying = replace(trial(), probed=[*trial().probed, (Probe(ROW, "hedging", "2 or 3"), Graded("h", 1.0))])
    findings = judge(figures_of(paying), Gates())
    assert [finding.rule for finding in findings] == ["cheat_pays"]
    with pytest.raises(GraderUnsound, match=r"hedging 0\.50"):
        stop_if_hopeless(findings)


def test_a_wrong_answer_that_earns_something_is_no_cheat() -> None:
    partial = [(Probe(ROW, None, "3"), Graded("w", 0.4)), (Probe(ROW, "hedging", "2 or 3"), Graded("h", 0.45))]
    assert rules(replace(trial(), probed=partial)) == set()


def test_a_grader_that_changes_its_mind_is_stopped() -> None:
    changed = list(trial().repeated)
    changed[0] = Graded("0", 1.0)
    assert rules(replace(trial(), repeated=changed)) == {"not_deterministic"}
    failed = list(trial().repeated)
    failed[1] = Graded("1", None, ungraded="the grader failed")
    assert rules(replace(trial(), repeated=failed)) == {"not_deterministic"}


def test_a_slow_grader_is_stopped_but_a_cold_start_is_forgiven() -> None:
    assert rules(replace(trial(), timings=[(64, 200.0), (64, 0.1)])) == set()
    slow = figures_of(replace(trial(), timings=[(64, 0.1), (64, 128.0)]))
    assert slow["step_grading_seconds"] == pytest.approx(64.0)  # 2 s a sample, 32 samples a step
    assert {finding.rule for finding in judge(slow, Gates())} == {"too_slow"}


def test_references_that_score_below_the_model_stop_and_those_that_score_low_warn() -> None:
    assert verdict_of(judge(figures_of(trial(reference=0.3)), Gates())) is Verdict.NO_GO
    low = judge(figures_of(trial(reference=0.8)), Gates())
    assert [finding.rule for finding in low] == ["reference_scores_low"]
    assert verdict_of(low) is Verdict.GO_WITH_WARNINGS


def test_the_job_is_estimated_as_the_walkthrough_ran_it() -> None:
    estimate = figures_of(trial())["estimate"]
    assert estimate["steps"] == 67
    assert estimate["gradings"] == 67 * 32
    assert estimate["completion_tokens"] == round(11.5 * 67 * 32)


def test_the_same_rows_are_rehearsed_whatever_their_order() -> None:
    lines = [b'{"messages": [], "n": %d}' % number for number in range(50)]
    assert choose_lines(lines, 5) == choose_lines(list(reversed(lines)), 5)
    assert len(choose_lines(lines[:3], 5)) == 3


def test_the_document_has_every_answer_with_its_grade() -> None:
    of = trial([(0, 1), (1, None)])
    written = document(of, figures_of(of), [])
    assert [[answer["reward"] for answer in each["answers"]] for each in written["groups"]] == [[0, 1], [1, None]]
    assert [probe["cheat"] for probe in written["probes"]] == [None, "hedging"]


def test_the_document_has_what_the_model_thought_beside_its_answer() -> None:
    of = trial([(0, 1)])
    first, second = of.groups[0].replies
    thinking = replace(of.groups[0], replies=[replace(first, thought="is it 2?"), second])
    (group,) = document(replace(of, groups=[thinking]), figures_of(of), [])["groups"]
    assert [answer.get("thought") for answer in group["answers"]] == ["is it 2?", None]


def test_whatever_speaks_against_a_grader_has_its_line_in_the_documents() -> None:
    page = (Path(__file__).parents[3] / "docs/graders.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("|")]
    of_the_model = rules(trial([(0, 0, 0, 0)] * 3)) | rules(trial([(1, 1, 1, 1)] * 3))
    assert {"baseline_too_low", "baseline_too_high", "no_signal_within_groups"} <= of_the_model
    for rule in GRADER_RULES | of_the_model:
        assert any(f"`{rule}`" in line and "`gates." in line for line in lines), rule


@pytest.mark.parametrize(
    ("rows", "least_difference", "told"),
    [
        (300, 0.05, "300 test rows show differences of accuracy from 8.8% on .* calls useful is 5.0%"),
        (20, 0.0, "20 test rows cannot show any difference with a chance of 80%, if 30% of the rows"),
        (300, 0.1, None),
        (300, 0.0, None),
    ],
)
def test_a_test_set_too_small_for_the_wanted_difference_is_a_warning(
    rows: int, least_difference: float, told: str | None
) -> None:
    numbers = {**figures_of(trial()), "test_set": resolution(rows)}
    findings = judge(numbers, Gates(least_difference=least_difference))
    assert [finding.rule for finding in findings] == (["test_set_too_small"] if told else [])
    stop_if_hopeless(findings)
    if told:
        assert re.match(told, findings[0].message)
        (needed,) = re.findall(r"about ([0-9,]+) rows", findings[0].advice)
        assert int(needed.replace(",", "")) > rows
