"""How `--help` is laid out: paragraphs as wide as the terminal, indented lines as they are written."""

from __future__ import annotations

import argparse
import textwrap


class Wrapped(argparse.HelpFormatter):
    """Fills the paragraphs of a description, and leaves examples and tables alone."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        laid_out: list[str] = []
        paragraph: list[str] = []
        row: list[str] = []

        def end_paragraph() -> None:
            if paragraph:
                laid_out.extend(textwrap.wrap(" ".join(paragraph), width, initial_indent=indent))
                paragraph.clear()
            if row:
                laid_out.extend(_narrowed(row, width))
                row.clear()

        for line in text.splitlines():
            if line.strip() and not line.startswith(" "):
                if row:
                    end_paragraph()
                paragraph.append(line.strip())
                if line.endswith(":"):
                    end_paragraph()
            else:
                if not (row and line.strip() and _indent(row[0]) < _margin(row[0]) == _indent(line)):
                    end_paragraph()
                row.append(line)
        end_paragraph()
        return "\n".join(f"{indent}{line}".rstrip() if not line.startswith(indent) else line for line in laid_out)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _margin(line: str) -> int:
    """Where the last column of a line of a table begins."""
    return line.rfind("  ") + 2 if "  " in line.strip() else _indent(line)


def _narrowed(row: list[str], width: int) -> list[str]:
    """A row of a table, with the lines that continue its last column: filled again if one of them is too long."""
    if max(map(len, row)) <= width:
        return row.copy()
    margin = _margin(row[0])
    if margin > width // 2:
        margin = _indent(row[0]) + 4
    text = " ".join([row[0], *(line.strip() for line in row[1:])])
    return textwrap.wrap(text, width, subsequent_indent=" " * margin, break_on_hyphens=False)
