"""Every way in which a run can end other than well: one exception class for each outcome.

The class's name is the state machine's Error, the heading in the runbook, and `reason.error` of the notice. The message
is `reason.message`: it says what is wrong and where, what was expected, what was found, and what to do.
"""

from __future__ import annotations

import enum

REASON_CHARACTERS = 8_000
"""Longest message of an outcome: a page or two, and well within the limits of a state's Cause (32 KB) and of a notice;
the findings file has the rest."""


def reason(message: str) -> str:
    """A message as an outcome has it: cut if it is too long, with invisible and control characters escaped."""
    plain = message if len(message) <= REASON_CHARACTERS else message[: REASON_CHARACTERS - 1] + "…"
    if plain.isprintable():
        return plain
    shown = "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in plain)
    return shown if len(shown) <= REASON_CHARACTERS else shown[: REASON_CHARACTERS - 1] + "…"


STOPPED = "The execution was stopped"
"""How the message of a run begins that somebody stopped; who did it, or what for, may follow in brackets."""


class Status(enum.StrEnum):
    """A run's status. The last four are terminal: a run ends with exactly one of them."""

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
    """The run cannot train on what was dropped; nothing was paid for training."""

    status = Status.REJECTED


class RecipeInvalid(Rejected):
    """The recipe names something that does not exist, or has a value out of its range."""


class InputMissing(Rejected):
    """A file of the run does not exist, or its pinned version is gone."""


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
    """The model cannot learn from the base model's rewards: all wrong, all right, or equal within each group."""


class GraderUnsound(Rejected):
    """The grader gives low rewards to reference answers, can be cheated, fails too often, or is too slow."""


class WaitedTooLong(RunEnded):
    """The run had no turn to train within the time that its recipe gives the queue; nothing was trained."""


class JobRefused(RunEnded):
    """Bedrock refused the training job or its file, and would refuse it again."""


class TrainingFailed(RunEnded):
    """Bedrock ended the training job as failed."""


class TrainingCancelled(RunEnded):
    """The training job was cancelled from outside this run."""


class TrainingStuck(RunEnded):
    """The training job made no progress for longer than the recipe allows."""


class BudgetExceeded(RunEnded):
    """The training job passed a limit that the recipe sets."""


class TrainingUnhealthy(RunEnded):
    """The training had a health finding at which the recipe tells Tunedrop to stop (`health.stop_on`)."""


class DeploymentFailed(RunEnded):
    """The tuned model exists, but could not be deployed; a run that resumes this one does not train again."""


class EvaluationIncomplete(RunEnded):
    """There can be no verdict: too many answers are missing, were cut off or could not be graded."""


class DiskFull(RunEnded):
    """A function's disk has no room left for the run's files."""


class RunFileMissing(RunEnded):
    """A file in the run's folder, which an earlier state wrote, is gone, or the function may not read it."""


class RunFileBroken(RunEnded):
    """A file in the run's folder is not what an earlier state wrote: it was emptied, cut or edited."""


class RunReleased(RunEnded):
    """The run was stopped while this state was working for it."""

    status = Status.CANCELLED


class RunNotFound(RunEnded):
    """No record of this run exists."""


class Transient(Exception):
    """Does not end the run: the state machine runs the state again, after a while."""


class ServiceBusy(Transient):
    """A service throttled, or failed in a way that may pass."""


class SubmissionUnclear(Transient):
    """It is not known whether a job was created; the next try looks for it before it creates one."""


def status_of_error(error: str) -> Status:
    """The status of a run whose execution failed with the Error `error` (a class name of this module, or AWS's own)."""
    known = globals().get(error)
    if isinstance(known, type) and issubclass(known, RunEnded):
        return known.status
    return Status.FAILED
