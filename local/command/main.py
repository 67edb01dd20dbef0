"""`tunedrop`: the application on one machine, and the tools around a dataset.

Only what parses the command line is imported here; a sub-command imports what it needs when it runs.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import re
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from local.command import exits, places
from local.command.help_text import Wrapped
from local.command.path_hint import tell_about_path
from local.command.printable import say

SUB_COMMANDS = (
    "demo",
    "run",
    "up",
    "console",
    "validate",
    "convert",
    "grade",
    "grader",
    "rehearse",
    "evaluate",
    "compare",
    "report",
    "runs",
    "watch",
    "stop",
    "approve",
    "reject",
    "rollback",
    "audit",
    "logs",
    "doctor",
    "completion",
)
"""Modules of this package with `add_parser(subparsers)`, which sets the default `run`: arguments → exit code."""

_DESCRIPTION = """\
Drop a dataset, get a tuned model and the proof that it is better.

On this machine the whole application runs without an AWS account: the same template, state machines and functions
as in a deployment, on an embedded AWS. The training service is a simulation, and its numbers say so. With --stack, the
same commands work with a deployed stack."""

_EXAMPLES = """\
examples:
  tunedrop demo                          take GSM8K through the whole pipeline
  tunedrop run events/datasets/gsm8k     the same with a folder of your own (train.jsonl, test.jsonl, recipe.yaml)
  tunedrop run my_folder --json          print only the final notice, as the last line
  tunedrop validate my_folder            check a dataset, start nothing
  tunedrop up                            keep it running for the AWS CLI, the openai SDK and curl
  tunedrop doctor                        check whether this machine can run Tunedrop
  tunedrop runs --stack tunedrop-dev     list the runs of a deployed stack; run, watch and report take --stack, too"""


_WRONG = re.compile(r"invalid choice: '([^']*)'|unrecognized arguments: (--\S+)")
_QUOTED = re.compile("'([^']*)'")


class _Parser(argparse.ArgumentParser):
    """argparse, with the exit code that this command has for a line that it does not understand."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(exits.USAGE, f"{self.prog}: {message}{self._meant(message)}\n")

    def _meant(self, message: str) -> str:
        """The name nearest to one that there is none of."""
        wrong, names = _WRONG.search(message), [*_QUOTED.findall(message.partition("(choose from")[2])]
        if wrong is None:
            return ""
        nearest = difflib.get_close_matches(wrong[1] or wrong[2], names or _options(self), 1)
        return f"; did you mean {nearest[0]}?" if nearest else ""


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """The names of the parser's options, and of its sub-commands'."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found = found.union(*map(_options, action.choices.values()))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; its exit code, as `exits` says. Tells errors in a sentence, never in a traceback."""
    arguments = parser().parse_args(argv)
    tell_about_path()
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        code: int = arguments.run(arguments)
        return code
    except exits.CommandError as error:
        return _told(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _told("stopped", exits.STOPPED)
    except exits.Terminated:
        return _told("terminated", exits.TERMINATED)
    except BrokenPipeError:
        # Whoever read the output has gone; there is no one to tell.
        sys.stderr.close()
        return exits.FAILED
    except Exception as error:
        told = str(error) if _is_of_a_stack(error) else f"{_sentence(error)} The details are in {_log(error)}."
        return _told(told, exits.FAILED)
    finally:
        signal.signal(signal.SIGTERM, before)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="tunedrop",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for name in SUB_COMMANDS:
        importlib.import_module(f"local.command.{name}").add_parser(subparsers)
    return parser


def _terminate(_number: int, _frame: FrameType | None) -> None:
    # Once: a second signal must not interrupt the putting away.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise exits.Terminated


def _told(sentence: str, code: int) -> int:
    say(f"tunedrop: {sentence}", to_stderr=True)
    return code


def _is_of_a_stack(error: Exception) -> bool:
    """Whether a stack refused or did not answer: the client, which only some commands import, says it in words."""
    errors = sys.modules.get("tunedrop_client.errors")
    return errors is not None and isinstance(error, errors.TunedropError)


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {text}".rstrip(".") + "."


def _log(error: Exception) -> str:
    """Write the traceback where the sentence says that it is; the file, as the user can open it."""
    places.LOG.parent.mkdir(parents=True, exist_ok=True)
    with places.LOG.open("a") as file:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        file.write(f"{moment} {' '.join(sys.argv)}\n{''.join(traceback.format_exception(error))}\n")
    return places.shown(places.LOG)
