"""Lines that hold nothing: between rows an error, after the last row a warning."""

from __future__ import annotations

from tunedrop.dataset.findings import MAX_EXAMPLES, Findings


class BlankLines:
    """Takes the blank lines of a file in order; a run of them is judged when it is known what follows."""

    def __init__(self, findings: Findings, file: str) -> None:
        self._findings = findings
        self._file = file
        self._first = 0
        self._last = 0
        self._spaces = False

    def add(self, line: int, raw: bytes) -> None:
        """Note that this line is blank: nothing but spaces, tabs and carriage returns."""
        if line != self._last + 1 or not self._first:
            self._between_rows()
            self._first, self._spaces = line, False
        self._last = line
        self._spaces = self._spaces or bool(raw.strip(b"\r"))

    def finish(self, last_line: int) -> None:
        """The file's last line is known: what runs up to it comes after the last row."""
        if self._last < last_line or self._spaces:
            self._between_rows()
        elif self._first:
            count = self._last - self._first + 1
            says = f"{count:,} empty line{'s' * (count > 1)} after the last row"
            self._findings.add("line-blank-trailing", self._file, self._first, says, got=f"{count:,} empty lines")

    def _between_rows(self) -> None:
        if not self._first:
            return
        told = min(self._last, self._first + MAX_EXAMPLES - 1)
        for line in range(self._first, told + 1):
            self._findings.add("line-blank", self._file, line, "the line is empty", got="nothing")
        if told < self._last:
            self._findings.add_lines("line-blank", self._file, told + 1, self._last)
