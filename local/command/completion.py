"""`tunedrop completion SHELL`: what a shell needs to complete the command's words."""

from __future__ import annotations

import argparse
from typing import Any

from local.command import exits
from local.command.help_text import Wrapped

SHELLS = ("bash", "zsh")

_DESCRIPTION = """\
Print a script that lets your shell complete the command's words and options."""

_EXAMPLES = """\
examples:
  tunedrop completion bash > ~/.local/share/bash-completion/completions/tunedrop
  tunedrop completion zsh > ~/.zfunc/_tunedrop        (a folder of your fpath)
  eval "$(tunedrop completion bash)"                  (for this shell alone)"""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "completion",
        help="print a script that lets a shell complete the command's words",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=Wrapped,
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from local.command.main import parser

    print(shtab.complete(parser(), arguments.shell))
    return exits.SUCCEEDED
