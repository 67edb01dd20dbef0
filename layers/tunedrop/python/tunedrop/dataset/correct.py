"""The corrected copy: what can be mended without touching what a row says. It is offered, never applied silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from tunedrop.dataset.bounds import MAX_LINE_BYTES
from tunedrop.dataset.lines import BOM, READ_BYTES

_BLANK = b" \t\r"


@dataclass(slots=True)
class Corrections:
    """What was mended in a file."""

    byte_order_mark: bool = False
    line_endings: int = 0
    """Lines that ended in CR LF."""
    blank_lines: int = 0

    def __str__(self) -> str:
        parts = (
            "a byte order mark" if self.byte_order_mark else "",
            f"{self.line_endings:,} line endings" if self.line_endings else "",
            f"{self.blank_lines:,} blank lines" if self.blank_lines else "",
        )
        return ", ".join(part for part in parts if part) or "nothing"


def write_corrected(source: BinaryIO, target: BinaryIO) -> Corrections:
    """Copy `source` to `target` without byte order mark, blank lines and carriage returns at line ends.

    Reads once, by `read(n)`, in flat memory whatever the length of a line. Every row's bytes stay what they are.
    """
    done = Corrections()
    rest = source.read(READ_BYTES)
    while len(rest) < len(BOM) and (more := source.read(READ_BYTES)):
        rest += more
    if rest.startswith(BOM):
        done.byte_order_mark = True
        rest = rest[len(BOM) :]
    within = False  # whether the start of the current line was written already
    ended = False
    while not ended:
        chunk = source.read(READ_BYTES)
        ended = not chunk
        *lines, rest = (rest + chunk).split(b"\n")
        if ended and rest:
            lines.append(rest)
            rest = b""
        for line in lines:
            _write_line(line, target, done, within=within)
            within = False
        if len(rest) > MAX_LINE_BYTES:
            # Too long to hold: all but a carriage return that the line may end in.
            kept = b"\r" if rest.endswith(b"\r") else b""
            target.write(rest.removesuffix(b"\r"))
            rest, within = kept, True
    if within:
        target.write(rest + b"\n")
    return done


def _write_line(line: bytes, target: BinaryIO, done: Corrections, *, within: bool) -> None:
    if not within and not line.strip(_BLANK):
        done.blank_lines += 1
        return
    if line.endswith(b"\r"):
        done.line_endings += 1
        line = line[:-1]
    target.write(line + b"\n")
