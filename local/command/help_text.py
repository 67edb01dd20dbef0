"""How `--help` is laid out: paragraphs as wide as the terminal, indented lines as they are written."""

from __future__ import annotations

import argparse
import textwrap


class Wrapped(argparse.HelpFormatter):
    """Fills the paragraphs of a description, and leaves examples and tables alone."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        laid_out: list[str] = []
        paragraph: list[str] = []

        def end_paragraph() -> None:
            if paragraph:
                laid_out.extend(textwrap.wrap(" ".join(paragraph), width, initial_indent=indent))
                paragraph.clear()

        for line in text.splitlines():
            if line.strip() and not line.startswith(" "):
                paragraph.append(line.strip())
                if line.endswith(":"):
                    end_paragraph()
            else:
                end_paragraph()
                laid_out.extend(_narrowed(line, width))
        end_paragraph()
        return "\n".join(f"{indent}{line}".rstrip() if not line.startswith(indent) else line for line in laid_out)


def _narrowed(line: str, width: int) -> list[str]:
    """A line of a table: where it is too long, its last column goes on below itself."""
    if len(line) <= width:
        return [line]
    margin = line.rfind("  ") + 2 if "  " in line.strip() else len(line) - len(line.lstrip())
    if margin > width // 2:
        margin = len(line) - len(line.lstrip()) + 4
    return textwrap.wrap(line, width, subsequent_indent=" " * margin, drop_whitespace=True) or [line]
