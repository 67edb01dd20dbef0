"""References that were cut off: LaTeX taken up to its first closing brace, JSON without its end."""

from __future__ import annotations

import re
from typing import Final

_LATEX: Final = re.compile(
    r"\\(?:[dtc]?frac|sqrt|left|right|text|boxed|math[a-z]{1,8}|begin|end|binom|over|cdot|times|pi|theta)(?![A-Za-z])"
    r"|[\^_]\{"
)
_LEFT: Final = re.compile(r"\\left(?![A-Za-z])")
_RIGHT: Final = re.compile(r"\\right(?![A-Za-z])")
_HALF_A_FRACTION: Final = re.compile(r"\\[dtc]?frac\s*\{[^{}]*\}\s*\$?\s*$")
_ESCAPED: Final = re.compile(r"\\[\\{}]")
_LONGEST: Final = 20_000
"""Characters of a reference that is looked at; a longer one is hardly an answer."""


def cut_off(text: str) -> str | None:
    """What shows that a reference was cut off; None where nothing does."""
    if ("\\" not in text and "{" not in text and "}" not in text) or len(text) > _LONGEST:
        return None
    if text.lstrip().startswith(('{"', '[{"')):
        return "a bracket of its JSON is not closed" if _unbalanced(text) else None
    return _cut_latex(text) if _LATEX.search(text) else None


def _cut_latex(text: str) -> str | None:
    if len(_LEFT.findall(text)) != len(_RIGHT.findall(text)):
        return "it has \\left without \\right, or \\right without \\left"
    if text.count("\\begin{") != text.count("\\end{"):
        return "it has \\begin without \\end, or \\end without \\begin"
    if _unbalanced(_ESCAPED.sub("", text)):
        return "its braces do not match"
    return "its last fraction has no denominator" if _HALF_A_FRACTION.search(text) else None


def _unbalanced(text: str) -> bool:
    return text.count("{") != text.count("}")
