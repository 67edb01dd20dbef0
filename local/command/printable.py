"""Texts of others on a terminal: control characters are shown, and never sent.

A file's name, a row, a reason or a line of a log may hold escape sequences. A terminal that receives them changes its
title, writes to the clipboard or overwrites what was printed before.
"""

from __future__ import annotations

import re
import sys

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 without tab and line feed, DEL, C1, what ends lines or turns their direction, halves of surrogate pairs."""


def printable(text: str) -> str:
    """`text` with what a terminal would obey as an escape, such as `\\x1b`."""
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def say(text: str = "", *, to_stderr: bool = False) -> None:
    """Print a line that may have come from others."""
    print(printable(text), file=sys.stderr if to_stderr else sys.stdout, flush=to_stderr)
