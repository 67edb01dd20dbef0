"""Every way in which a run can end other than well: one exception class an outcome.

The class name is the Error of the state machine, the heading of the runbook and `reason.error` of the notice; the
message is `reason.message`. It names the thing, what was expected, what was got, where, and what to do.
"""

from __future__ import annotations

import enum

REASON_CHARACTERS = 8_000
"""Longest message of an outcome: a reader's page or two, and well within what a state's Cause (32 KB) and a notice
take; the findings file holds the rest."""


def reason(message: str) -> str:
    """A message as an outcome has it: cut where it is long, and nothing in it that steers a terminal or hides."""
    plain = message if len(message) <= REASON_CHARACTERS else message[: REASON_CHARACTERS - 1] + "…"
    if plain.isprintable():
        return plain
    shown = "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in plain)
    return shown if len(shown) <= REASON_CHARACTERS else shown[: REASON_CHARACTERS - 1] + "…"


class Status(enum.StrEnum):
    """Where a run stands. The last four are terminal: exactly one of them is a run's end."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """Whether the run has ended."""
        return self is not Status.RUNNING


class RunEnded(Exception):
    """A run cannot go on. `status` is how the run ends."""

    status = Status.FAILED

    def __init__(self, message: str = "") -> None:
        super().__init__(reason(message))


class Rejected(RunEnded):
    """What was dropped cannot be trained on; nothing was paid for training."""

    status = Status.REJECTED


class RecipeInvalid(Rejected):
    """The recipe names something that does not exist, or a value out of its range."""


class InputMissing(Rejected):
    """A file that the run was started for is not there, or its pinned version is gone."""


class DatasetInvalid(Rejected):
    """At least one line of the dataset cannot be trained on."""


class RepeatedDrop(Rejected):
    """The same files were dropped before, and their run is under way or ended well a short while ago."""


class LimitExceeded(Rejected):
    """The run asks for more than the operator lets a run, or its team in a month, use up."""


class TooManyRuns(Rejected):
    """The team has as many active runs as it may have."""

    def __init__(self, message: str, *, active: int = 0, quota: int = 0) -> None:
        """`message`, or with `quota` the team's name."""
        self.active, self.quota = active, quota
        if quota:
            message = (
                f"Team {message or 'none'} has {active} active runs and may have {quota}. Wait until one ends, or "
                "stop one."
            )
        super().__init__(message)


class NoSignal(Rejected):
    """The base model's rewards leave nothing to learn from: all wrong, all right, or no spread within a group."""


class GraderUnsound(Rejected):
    """The grader fails on good answers, can be cheated, or errs too often."""


class WaitedTooLong(RunEnded):
    """The run had no turn to train within the time that its recipe gives the queue; nothing was trained."""


class JobRefused(RunEnded):
    """Bedrock refused the training job or its file; trying again would be refused again."""


class TrainingFailed(RunEnded):
    """Bedrock ended the training job as failed."""


class TrainingCancelled(RunEnded):
    """The training job was cancelled from outside this run."""


class TrainingStuck(RunEnded):
    """The training job made no progress for longer than the recipe allows."""


class BudgetExceeded(RunEnded):
    """The training job passed a limit that the recipe sets."""


class TrainingUnhealthy(RunEnded):
    """A finding about the training's health that the recipe says to stop on."""


class DeploymentFailed(RunEnded):
    """The tuned model is there, but could not be deployed; a run that resumes this one trains nothing again."""


class EvaluationIncomplete(RunEnded):
    """Too many answers could not be had or graded for a verdict."""


class DiskFull(RunEnded):
    """A function's disk has no room left for the run's files."""


class RunFileMissing(RunEnded):
    """A file of the run's own folder, which an earlier state wrote, is gone or may not be read."""


class RunFileBroken(RunEnded):
    """A file of the run's own folder is not what an earlier state wrote: emptied, cut, or edited."""


class RunReleased(RunEnded):
    """The run was stopped while this state was working for it."""

    status = Status.CANCELLED


class RunNotFound(RunEnded):
    """No record of this run exists."""


class Transient(Exception):
    """Not an end: the state machine runs the state again, after a while."""


class ServiceBusy(Transient):
    """The service throttled, or failed in a way that another try may mend."""


class SubmissionUnclear(Transient):
    """A job may or may not have been created; the next try looks for it before it creates another."""


def status_of_error(error: str) -> Status:
    """How a run ends whose execution failed with the Error `error` (a class name of this module, or AWS's own)."""
    known = globals().get(error)
    if isinstance(known, type) and issubclass(known, RunEnded):
        return known.status
    return Status.FAILED
