from __future__ import annotations

import pytest

from tunedrop.graders.deployed import Graded
from tunedrop.outcomes import GraderUnsound, NoSignal
from tunedrop.recipe import Gates
from tunedrop.rehearsal.sampling import Group, choose_rows
from tunedrop.rehearsal.verdict import document, figures, judge, stop_if_hopeless
from tunedrop.sampling.question import Reply

ROW = {"messages": [{"role": "user", "content": "1 + 1?"}], "reference_answer": "2"}


def group(*rewards: float | None) -> Group:
    graded = [Graded(str(n), reward, ungraded=None if reward is not None else "x") for n, reward in enumerate(rewards)]
    replies = [Reply("2", "stop", 5, 10 + n, 0.5) for n in range(len(rewards))]
    return Group(ROW, replies, graded)


def found(groups: list[Group], references: list[Graded] | None = None) -> set[str]:
    return {finding.rule for finding in judge(figures(groups, references or [Graded("r", 1.0)]), Gates())}


def test_a_model_that_is_right_now_and_then_may_train() -> None:
    groups = [group(0, 1, 0, 1), group(1, 1, 1, 1), group(0, 0, 0, 1)]
    assert found(groups) == set()
    stop_if_hopeless([])


@pytest.mark.parametrize(
    ("groups", "rules", "outcome"),
    [
        ([group(0, 0, 0, 0)] * 4, {"baseline_too_low", "no_signal_within_groups"}, NoSignal),
        ([group(1, 1, 1, 1)] * 4, {"baseline_too_high", "no_signal_within_groups"}, NoSignal),
        ([group(0.5, 0.5)] * 4, {"no_signal_within_groups"}, NoSignal),
        ([group(0, 1, None, 1)] * 4, {"grader_errors"}, GraderUnsound),
        ([group(None, None)] * 4, {"grader_errors"}, GraderUnsound),
    ],
)
def test_what_could_not_learn_is_stopped_with_everything_that_speaks_against_it(
    groups: list[Group], rules: set[str], outcome: type[Exception]
) -> None:
    findings = judge(figures(groups, [Graded("r", 1.0)]), Gates())
    assert {finding.rule for finding in findings if finding.severity == "stop"} == rules
    with pytest.raises(outcome) as raised:
        stop_if_hopeless(findings)
    for finding in findings:
        assert finding.message in str(raised.value)


def test_references_that_score_low_are_warned_of_but_stop_nothing() -> None:
    assert found([group(0, 1, 1, 1)] * 3, [Graded("r", 0.0)]) == {"reference_scores_low"}


def test_the_same_rows_are_rehearsed_whatever_their_order() -> None:
    lines = [b'{"messages": [], "n": %d}' % number for number in range(50)]
    assert choose_rows(lines, 5) == choose_rows(list(reversed(lines)), 5)
    assert len(choose_rows(lines[:3], 5)) == 3


def test_the_document_has_every_answer_with_its_grade() -> None:
    groups = [group(0, 1), group(1, None)]
    written = document(groups, figures(groups, []), [])
    assert [[answer["reward"] for answer in each["answers"]] for each in written["groups"]] == [[0, 1], [1, None]]
