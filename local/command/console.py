"""`tunedrop console`: a page in the browser that speaks to a stack, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import time
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from local.command import exits, which_stack
from local.command.help_text import Wrapped
from local.command.report import has_screen

if TYPE_CHECKING:
    from tunedrop_client.places import Place

_DESCRIPTION = """\
Serve a page on this machine that calls a stack's API with your AWS credentials, until Ctrl-C: drop a dataset and see
what is wrong with it, start runs, watch them, compare them, stop and approve. The link works once, in one browser; then
the command prints the next one. Nothing is stored, and no other machine can reach the page."""

_EXAMPLES = """\
examples:
  tunedrop console                         the stack that `tunedrop up` keeps running
  tunedrop console --stack tunedrop-dev    a deployed stack
  tunedrop console --port 8123 --no-open   for `ssh -L`, as docs/console.md says"""


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "console",
        help="serve a page for the browser: drop datasets, follow and compare a stack's runs",
        description=_DESCRIPTION,
        epilog=f"{_EXAMPLES}\n\n{which_stack.HELP}\n\n{exits.TEXT}",
        formatter_class=Wrapped,
    )
    which_stack.add_options(parser)
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port to listen on (default: a free one)")
    parser.add_argument("--no-open", action="store_true", help="only print the link")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, which are how it ends well."""
    from local.console.server import running
    from tunedrop_client import NoSuchPlace

    api_url = which_stack.required(arguments).place.api_url

    def find() -> Place:
        try:
            return which_stack.required(arguments).place
        except exits.UsageError as error:
            raise NoSuchPlace(str(error)) from None

    try:
        with running(find, port=arguments.port) as console:
            print(f"The console of {api_url}\n  {console.link}\nCtrl-C ends it.", flush=True)
            console.on_next_link(_tell)
            if not arguments.no_open and sys.stdout.isatty() and has_screen():
                webbrowser.open(console.link)
            with suppress(KeyboardInterrupt, exits.Terminated):
                while True:
                    time.sleep(3600)
    except OSError as error:
        raise exits.UsageError(f"port {arguments.port} cannot be listened on: {error}") from None
    return exits.SUCCEEDED


def _tell(link: str) -> None:
    print(f"The link has been used. For another browser:\n  {link}", flush=True)
