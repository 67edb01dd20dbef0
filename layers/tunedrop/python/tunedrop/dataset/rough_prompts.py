"""A first look at the prompts of a file, and a second one at the few lines that may have the prompt of another line.

The normal form of each prompt, and hashes of each prompt and answer as they are, took a third of the time of the whole
check, and of most files they said nothing. So a file that can be read again is first looked at by rough keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, Final

import orjson

from tunedrop.dataset.duplicates import Keys, Prompts
from tunedrop.dataset.json_line import read_line
from tunedrop.dataset.lines import Lines, Overlong
from tunedrop.dataset.prompts import answer_text, prompt_text, rough_keys

_MOST_ALIKE: Final = 0.05
"""Where more of the first lines than this part seem to repeat a prompt, a second look would take longer."""


class RoughPrompts:
    """The rough keys of a file's prompts, 8 bytes a line."""

    def __init__(self) -> None:
        self._keys = Keys()

    def add(self, prompts: Sequence[str | None]) -> bool:
        """Add the next lines' prompts; False, and nothing is added, where the first lines are too much alike."""
        keys = rough_keys(prompts)
        if not len(self._keys) and len(keys) - len(set(keys)) - keys.count(0) > _MOST_ALIKE * len(keys):
            return False
        self._keys.extend(keys)
        return True

    def may_repeat(self) -> bytearray | None:
        """A 1 for each line whose prompt may be another line's, too; None where there is no such line."""
        marked: bytearray | None = None
        for place, first in self._keys.repeats():
            if marked is None:
                marked = bytearray(len(self._keys))
            marked[place] = marked[first] = 1
        return marked


def read_again(stream: BinaryIO, wanted: bytearray) -> Prompts:
    """The prompts and answers of the lines that are marked in `wanted`; the other lines count as lines without one."""
    prompts, read = Prompts(), 0
    for part in Lines(stream):
        lines = [b""] if isinstance(part, Overlong) else part.split(b"\n")
        said = [_said(raw) if mark else (None, None) for raw, mark in zip(lines, wanted[read:], strict=False)]
        read += len(said)
        prompts.add([prompt for prompt, _ in said], [answer for _, answer in said])
        if read == len(wanted):
            break
    return prompts


def _said(raw: bytes) -> tuple[str | None, str | None]:
    """A line's prompt, and its answer as text."""
    row = _quickly(raw)
    if row is None or not isinstance(row.get("reference_answer"), str):
        row = read_line(raw).value  # only the careful reading tells the numbers that an answer may hold
    if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
        return None, None  # only where somebody has changed the file meanwhile
    return prompt_text(row["messages"]), answer_text(row.get("reference_answer"))


def _quickly(raw: bytes) -> dict[str, Any] | None:
    """The row of a line that has been checked; its texts are those of the careful reading. None for any other line."""
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None
