"""Finding the program in a model's answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_ANSWER = 256 * 1024
"""Characters of an answer that are looked at: far beyond any solution, far below what could stall a parser."""
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_PYTHON = frozenset({"", "python", "py", "python3", "python2", "pycon"})


def program_of(answer: str, names: Sequence[str]) -> str:
    """The program: the last fenced block that defines one of `names`, else all Python blocks, else the whole answer.

    The last one counts, because models correct themselves. A fence that is never closed (a cut-off answer) runs to
    the end. Line ends are made Python's.
    """
    text = answer[:LONGEST_ANSWER].replace("\r\n", "\n").replace("\r", "\n")
    blocks = _blocks(text)
    if not blocks:
        return text
    defines = [block for block in blocks if any(_defines(block, name) for name in names)]
    return defines[-1] if defines else "\n\n".join(blocks)


def _blocks(text: str) -> list[str]:
    blocks: list[str] = []
    opened: tuple[str, str, int] | None = None
    for fence in _FENCE.finditer(text):
        marks, language = fence[1], fence[2].lower()
        if opened is None:
            opened = (marks, language, fence.end() + 1)
        elif marks[0] == opened[0][0] and len(marks) >= len(opened[0]) and not language:
            if opened[1] in _PYTHON:
                blocks.append(text[opened[2] : fence.start()])
            opened = None
    if opened is not None and opened[1] in _PYTHON:
        blocks.append(text[opened[2] :])
    return blocks


def _defines(block: str, name: str) -> bool:
    found = re.search(
        rf"^(?:(?:async\s+)?def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*[:=]", block, re.MULTILINE
    )
    return found is not None
