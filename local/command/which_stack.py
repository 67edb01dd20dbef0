"""Which stack a command works with: one that is named, or that of a running `tunedrop up`."""

from __future__ import annotations

import argparse
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.command import exits, places

if TYPE_CHECKING:
    from tunedrop_client import Client
    from tunedrop_client.places import Wanted

LOOK_SECONDS = 2.0

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

HELP = """\
which stack:
  --stack, --api, --profile    a deployed stack, by the AWS credentials and the Region of this shell
  TUNEDROP_STACK, TUNEDROP_API_URL, ~/.config/tunedrop/config.toml    the same without options
  otherwise                    the stack that `tunedrop up` keeps running on this machine"""

HELP_OF_KEPT = HELP.replace(
    "the stack that `tunedrop up` keeps running on this machine",
    "the runs that this machine keeps in build/runs; `tunedrop up` puts its own there",
)
"""Of the commands that look only at ended runs."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that name a stack."""
    group = parser.add_argument_group("stack")
    named = group.add_mutually_exclusive_group()
    named.add_argument("--stack", metavar="NAME", help="the deployed stack of this name, such as tunedrop-dev")
    named.add_argument("--api", metavar="URL", help="the stack whose API has this URL")
    named.add_argument("--profile", metavar="NAME", help="the stack of this name in the profile file")


def named(arguments: argparse.Namespace) -> bool:
    """Whether options, variables or the profile file name a stack. Raises UsageError."""
    from tunedrop_client import NoSuchPlace

    try:
        return _wanted(arguments).named
    except NoSuchPlace as error:
        raise exits.UsageError(str(error)) from None


def chosen(arguments: argparse.Namespace, *, region: str | None = None) -> Client | None:
    """A client of the stack that is named, or of a running `tunedrop up`; None where there is neither.

    `region`: an `up` that imitates another Region is passed over.

    Raises:
        UsageError: the stack that is named cannot be found.
    """
    from tunedrop_client import Client, NoSuchPlace
    from tunedrop_client.places import find, of_environment

    try:
        wanted = _wanted(arguments)
        if wanted.named:
            return Client(place=find(wanted))
        if not places.UP_ENVIRONMENT.is_file():
            return None
        place = of_environment(places.UP_ENVIRONMENT)
    except NoSuchPlace as error:
        raise exits.UsageError(str(error)) from None
    if not _listens(place.api_url) or region not in (None, place.region):
        return None
    return Client(place=place)


def required(arguments: argparse.Namespace) -> Client:
    """As `chosen`. Raises UsageError where there is no stack."""
    client = chosen(arguments)
    if client is None:
        raise exits.UsageError(
            "no stack is named and none runs on this machine; give --stack NAME, or start one with `tunedrop up`"
        )
    return client


def _wanted(arguments: argparse.Namespace) -> Wanted:
    from tunedrop_client.places import wanted

    return wanted(
        stack=arguments.stack,
        api_url=arguments.api,
        region=getattr(arguments, "region", None),
        profile=arguments.profile,
    )


def has_ended(url: str) -> bool:
    """Whether `url` is of this machine, and nobody listens there any more."""
    return (urlsplit(url).hostname or "") in _LOOPBACK and not _listens(url)


def _listens(url: str) -> bool:
    """Whether anyone listens there: an `up` that was killed leaves its file behind."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), LOOK_SECONDS).close()
    except OSError:
        return False
    return True
