"""Whether a job is worth its money, by what its rehearsal found; and all of a rehearsal as a document."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tunedrop.evaluation.answers import MOST_OF_A_THOUGHT
from tunedrop.graders.graded import Graded
from tunedrop.outcomes import GraderUnsound, NoSignal
from tunedrop.rehearsal.figures import Trial
from tunedrop.rehearsal.findings import Finding, Severity
from tunedrop.sampling.question import Reply

GRADER_RULES = frozenset({"grader_errors", "cheat_pays", "not_deterministic", "too_slow", "reference_scores_low"})
"""Findings about the grader itself; the others are about what it sees of the base model."""


class Verdict(enum.StrEnum):
    """What a rehearsal says of the job."""

    GO = "go"
    GO_WITH_WARNINGS = "go with warnings"
    NO_GO = "no-go"


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


def _grade(graded: Graded) -> dict[str, Any]:
    return {"reward": graded.reward, "ungraded": graded.ungraded, "explanation": graded.explanation}
