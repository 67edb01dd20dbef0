"""What the `tunedrop` command's exit codes mean, and the errors that it tells in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

SUCCEEDED = 0
"""The run succeeded, or the command did what it was asked."""

FAILED = 1
"""The run failed or was cancelled, or something went wrong on this machine."""

REJECTED = 2
"""The run was rejected: what was dropped cannot be trained on. No job was created."""

USAGE = 64
"""The command was not understood, or what it names is not there; nothing was started. 64 is EX_USAGE of sysexits.h:
argparse's own 2 would be taken for a rejected run."""

STOPPED = 130
"""Ctrl-C (128 + SIGINT)."""

TERMINATED = 143
"""SIGTERM (128 + 15)."""

BY_STATUS: Mapping[str, int] = {"SUCCEEDED": SUCCEEDED, "REJECTED": REJECTED}

TEXT = """\
exit codes:
  0    the run succeeded, or the command did what it was asked
  1    the run failed or was cancelled, or something went wrong on this machine
  2    the run was rejected: nothing can be trained on what you dropped
  64   the command was not understood, and started nothing
  130  stopped by Ctrl-C (143: by SIGTERM); what was started on this machine has ended, a run of a stack goes on"""


class CommandError(Exception):
    """Something that the user can mend: the message is what is wrong and what to do. `exit_code` ends the command."""

    exit_code = FAILED


class UsageError(CommandError):
    """What the command names is not there or not possible; nothing was started."""

    exit_code = USAGE


class Detached(CommandError):
    """Ctrl-C ended the command, and the run that it followed goes on."""

    exit_code = STOPPED


class Terminated(BaseException):
    """SIGTERM came. Not an Exception: nothing may hold it up but what must be put away."""


def of_status(status: str) -> int:
    """The exit code of a run that ended with `status`."""
    return BY_STATUS.get(status, FAILED)
