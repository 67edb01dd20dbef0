"""One file through every rule of its rows, once, from front to back.

A block of lines takes three steps: one pass of RE2 over its bytes for secrets; reading its lines; and counting what
was read. Lines are read in one of three ways: blocks of the simplest rows by columns (`plain_rows`); a row for which
a quick parser and a quick look find nothing to say, by these (`read_quickly`, `RowChecker`); any other by the careful
parser and every rule (`json_line`, `rows`). The quick ways only ever say that a row is in order, so they find nothing
that the careful one would not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

from tunedrop.catalog import Family, Model
from tunedrop.dataset.blank_lines import BlankLines
from tunedrop.dataset.bounds import MAX_ROWS
from tunedrop.dataset.cut_references import cut_off
from tunedrop.dataset.duplicates import Keys, Prompts
from tunedrop.dataset.fields import KEYS_OF_FORMAT, Shapes
from tunedrop.dataset.findings import Findings
from tunedrop.dataset.json_line import Reading, read_line, read_quickly
from tunedrop.dataset.lines import READ_BYTES, Lines, Overlong
from tunedrop.dataset.marked_lines import MarkedLines, Marks
from tunedrop.dataset.plain_rows import SHORTEST_PLAIN_ROW, Columns, PlainRows
from tunedrop.dataset.prompts import answer_text, prompt_text, user_text, utf8_lengths
from tunedrop.dataset.report import FileFacts
from tunedrop.dataset.rough_prompts import RoughPrompts, read_again
from tunedrop.dataset.row_format import FORMATS
from tunedrop.dataset.rows import ANSWER, RowChecker
from tunedrop.dataset.scanned_ahead import Scanned, ScannedAhead
from tunedrop.dataset.secrets import Scan
from tunedrop.dataset.show import shown
from tunedrop.dataset.statistics import Statistics, estimated_tokens
from tunedrop.graders.sample import Grader

MAX_DOCUMENT_BYTES: Final = 1024 * 1024
"""A file up to this size is kept until its end, to tell one JSON document over several lines from broken lines."""
_BYTES_AHEAD: Final = 6 * READ_BYTES
"""Bytes of blocks whose scan runs while an earlier one is read; of blocks with long rows, one at least."""
_PARTS: Final = 8
"""A block with a line that is not plain is read again in so many parts, and these in turn."""
_BLANK: Final = b" \t\r"
Compare = Callable[[int, str, str], None]
"""Takes a row's line, its prompt and what the user says in it."""


class FileCheck:
    """Checks one file. What it finds goes to `findings`; what it counts is in `facts()` when it has been read.

    Lines after `most_lines` (and the block that it lies in) are counted, not checked.
    `quick=False` reads every line the careful way, to the same outcome.
    """

    def __init__(
        self,
        file: str,
        findings: Findings,
        family: Family,
        *,
        grader: Grader | None = None,
        model: Model | None = None,
        compare: Compare | None = None,
        progress: Callable[[int], None] | None = None,
        most_lines: int | None = None,
        quick: bool = True,
        most_prompt_tokens: int | None = None,
    ) -> None:
        self.rows = 0
        self.file = file
        self.statistics = Statistics()
        self._file = file
        self._findings = findings
        self._checker = RowChecker(findings, file, family, grader, quick=quick)
        self.refused, self.named = self._checker.refused, self._checker.named
        self._asks_grader = grader is not None
        self._compare = compare
        self._progress = progress
        self._scan = Scan(FORMATS[family].reserved_texts, KEYS_OF_FORMAT)
        self._quick = quick
        self._marks = Marks(findings, file)
        self._by_columns, self._lines_by_columns = quick, 0
        """Until a block shows that the rows of this file are not so plain."""
        self._most_lines = most_lines
        self.lines_checked = 0
        bounds = (None if model is None else model.max_prompt_tokens, most_prompt_tokens)
        self._trained_tokens = most_prompt_tokens
        self._most_tokens = min((bound for bound in bounds if bound is not None), default=None)
        self._prompts = Prompts()
        self._rough_prompts: RoughPrompts | None = RoughPrompts() if quick else None
        self._ids = Keys()
        self._shapes = Shapes()
        self._plain = PlainRows()
        self._blank_lines = BlankLines(findings, file)
        self._last_line = 0
        self._carriage_returns = 0
        self._document: bytearray | None = bytearray()
        self._bytes = 0
        self._sha256 = ""

    def read(self, stream: BinaryIO) -> None:
        """Check the stream from where it stands to its end.

        Where prompts may be repeated, it is read once more if it is seekable.
        """
        start = stream.tell() if self._rough_prompts is not None and _is_seekable(stream) else None
        if start is None:
            self._rough_prompts = None
        waiting: deque[Scanned | bytes | Overlong] = deque()
        held = 0
        with ScannedAhead() as ahead:

            def take(chunk: bytes) -> None:
                self._bytes += len(chunk)
                ahead.take(chunk)
                if self._progress is not None:
                    self._progress(len(chunk))

            lines = Lines(stream, take)
            for part in lines:
                waiting.append(part if isinstance(part, Overlong) or self._enough else ahead.scan(self._scan, part))
                held += _size(part)
                while waiting and self._is_far_ahead(len(waiting), held):
                    held -= _size(waiting[0])
                    self._part(waiting.popleft())
            while waiting:
                self._part(waiting.popleft())
            self._sha256 = ahead.sha256()
        if start is not None:
            self._look_again(stream, start)
        self._finish(lines)

    def facts(self) -> FileFacts:
        """The file as a whole, after `read`."""
        return FileFacts(self.rows, self._bytes, self._sha256, self.statistics)

    def _add(self, rule: str, line: int | None, message: str, **words: str) -> None:
        self._findings.add(rule, self._file, line, message, **words)

    # --- blocks ------------------------------------------------------------------------------------------------

    def _is_far_ahead(self, blocks: int, size: int) -> bool:
        """Whether to wait for the first of these blocks. None is handed over ahead before the scan knows its keys."""
        return (self._by_columns and not self._lines_by_columns) or (blocks > 1 and size > _BYTES_AHEAD)

    @property
    def _enough(self) -> bool:
        """Whether the lines that follow are only counted."""
        return self._most_lines is not None and self._last_line >= self._most_lines

    def _part(self, part: Scanned | bytes | Overlong) -> None:
        if isinstance(part, bytes) or self._enough:
            self._count_only(part.data if isinstance(part, Scanned) else part)
        elif isinstance(part, Overlong):
            self._overlong(part)
        else:
            self._block(part)

    def _block(self, block: Scanned) -> None:
        data, first_line = block.data, self._last_line + 1
        self._document = _grown(self._document, data)
        if b"\r" in data:
            self._carriage_returns += data.count(b"\r\n") + data.endswith(b"\r")
        marks = block.marks.result()
        columns = self._plain_rows(block, data, row_a_line=not marks)
        marked = self._marks.note(first_line, data, marks, self._scan)
        before = self._lines_by_columns
        if columns is None or marked:
            self._read_in_parts(block, first_line, data, marked)
        else:
            self._note_plain(first_line, columns)
        if self._by_columns:
            self._choose_way(block, self._last_line + 1 - first_line, self._lines_by_columns - before)

    def _choose_way(self, block: Scanned, lines: int, lines_by_columns: int) -> None:
        """Whether the next block is tried by columns: not where this one had few rows for which that is made."""
        if not self._shapes.plain_keys <= self._scan.keys:
            self._scan = self._scan.with_keys(self._shapes.plain_keys)
        elif self._shapes.plain_keys <= block.keys and lines_by_columns * 2 < lines:
            self._by_columns = False
            self._scan = self._scan.without_keys()

    def _plain_rows(self, block: Scanned, data: bytes, *, row_a_line: bool = False) -> Columns | None:
        """Whole lines of a block, where all are plain. Keys that its scan did not look for may be there twice.

        `row_a_line`: its scan marked no line break.
        """
        shape = self._shapes.latest_plain
        if shape is None or not self._by_columns or not self._shapes.plain_keys <= block.keys:
            return None
        return self._plain.read(data, shape.keys, row_a_line=row_a_line)

    def _read_in_parts(self, block: Scanned, first_line: int, data: bytes, marked: MarkedLines) -> None:
        """Read lines that are not all plain: part by part at once where it can be, down to the lines that are not."""
        lines = data.split(b"\n")
        step = -(-len(lines) // _PARTS)
        if step == 1 or not self._by_columns or len(data) < len(lines) * SHORTEST_PLAIN_ROW:
            self._single_rows(first_line, lines, marked.unusual)
            return
        for start in range(0, len(lines), step):
            first, part = first_line + start, b"\n".join(lines[start : start + step])
            columns = None if marked.within(first, step) else self._plain_rows(block, part)
            if columns is None:
                self._read_in_parts(block, first, part, marked)
            else:
                self._note_plain(first, columns)

    def _note_plain(self, first_line: int, columns: Columns) -> None:
        count = len(columns.rows)
        self._lines_by_columns += count
        self._shapes.add_plain(count)
        if self.rows < MAX_ROWS:
            self.statistics.count_answers(columns.answers[: MAX_ROWS - self.rows])
        self._look_for_cut_answers(first_line, columns.answers)
        self.rows += count
        self.statistics.conversations["user"] += count
        if columns.ids is not None:
            self._ids.put(first_line - 1, list(map(hash, columns.ids)))
        if self._asks_grader:
            rows = zip(columns.answers, columns.for_the_grader(), strict=True)
            for line, (answer, fields) in enumerate(rows, first_line):
                self._checker.check_answer(line, answer, fields)
        if self._compare is not None:
            for line, prompt in enumerate(columns.prompts, first_line):
                self._compare(line, prompt, prompt)
        self._count(first_line, columns.prompts, columns.answers)

    def _single_rows(self, first_line: int, lines: list[bytes], unusual: frozenset[int]) -> None:
        prompts: list[str | None] = []
        answers: list[str | None] = []
        for line, raw in enumerate(lines, first_line):
            prompt, answer = self._single(line, raw, quick=self._quick and line not in unusual)
            prompts.append(prompt)
            answers.append(answer)
        self._count(first_line, prompts, answers)

    def _single(self, line: int, raw: bytes, *, quick: bool) -> tuple[str | None, str | None]:
        """Check one line by every rule; its prompt and its answer's text, as far as it has them."""
        if not raw.strip(_BLANK):
            self._blank_lines.add(line, raw)
            return None, None
        self.rows += 1
        reading = (read_quickly(raw) if quick else None) or self._careful(line, raw)
        readable = reading.accepted and self._checker.check(line, reading.value)
        if not isinstance(reading.value, dict):
            return None, None
        return self._note_row(line, reading.value, readable)

    def _careful(self, line: int, raw: bytes) -> Reading:
        reading = read_line(raw)
        for fault in reading.faults:
            self._findings.add(
                fault.rule, self._file, line, fault.message, expected=fault.expected, got=fault.got, hint=fault.hint
            )
        return reading

    def _note_row(self, line: int, row: dict[str, Any], readable: bool) -> tuple[str | None, str | None]:
        self._checker.check_reference(line, row)
        self._shapes.add(line, row)
        if isinstance(row.get("id"), str):
            self._ids.put(line - 1, [hash(row["id"])])
        if self.rows <= MAX_ROWS and ANSWER in row:
            self.statistics.count_answer(row[ANSWER])
        if isinstance(row.get(ANSWER), str):
            self._look_for_cut_answers(line, [row[ANSWER]])
        answer = answer_text(row.get(ANSWER))
        if not readable:
            return None, answer
        messages = row["messages"]
        self.statistics.count_conversation(messages)
        prompt = prompt_text(messages)
        if self._compare is not None:
            self._compare(line, prompt, user_text(messages))
        return prompt, answer

    def _look_for_cut_answers(self, first_line: int, answers: Sequence[str]) -> None:
        together = "\0".join(answers)
        if "\\" not in together and "{" not in together:
            return
        for place in [place for place, answer in enumerate(answers) if "\\" in answer or "{" in answer]:
            if (says := cut_off(answer := answers[place])) is not None:
                line = first_line + place
                self._add("reference-cut", line, f"the answer looks cut off: {says}", field=ANSWER, got=shown(answer))

    # --- what a block adds up to -------------------------------------------------------------------------------

    def _count(self, first_line: int, prompts: Sequence[str | None], answers: Sequence[str | None]) -> None:
        """Duplicates and statistics of a block's rows; None stands for a line without a prompt or an answer."""
        self._last_line = self.lines_checked = first_line + len(prompts) - 1
        if self._rough_prompts is not None and not self._rough_prompts.add(prompts):
            self._rough_prompts = None
        if self._rough_prompts is None:
            self._prompts.add(prompts, answers)
        lengths = utf8_lengths(prompts)
        self.statistics.prompt_bytes.add_lengths(lengths)
        self.statistics.answer_bytes.add_lengths(utf8_lengths(answers))
        if self._most_tokens is not None and estimated_tokens(max(lengths, default=0)) > self._most_tokens:
            lines = [line for line, prompt in enumerate(prompts, first_line) if prompt is not None]
            for line, length in zip(lines, lengths, strict=True):
                self._check_length(line, estimated_tokens(length), self._most_tokens)

    def _check_length(self, line: int, tokens: int, most_tokens: int) -> None:
        if tokens <= most_tokens:
            return
        message, words = f"the prompt has some {tokens:,} tokens (estimated)", {}
        if most_tokens == self._trained_tokens:
            message += f", more than `maxPromptLength` ({most_tokens:,}): Bedrock does not train on this row"
            words["hint"] = "Shorten the prompt, or raise `hyperparameters.maxPromptLength` in recipe.yaml."
        self._add(
            "prompt-long", line, message, field="messages",
            expected=f"at most {most_tokens:,} tokens", got=f"some {tokens:,} tokens (estimated)", **words,
        )  # fmt: skip

    def _count_only(self, part: bytes | Overlong) -> None:
        lines = [b"overlong"] if isinstance(part, Overlong) else part.split(b"\n")
        self._last_line += len(lines)
        self.rows += sum(map(bool, map(bytes.strip, lines)))

    def _overlong(self, part: Overlong) -> None:
        self.rows += 1
        self._document = None
        line = self._last_line + 1
        self._count(line, [None], [None])
        self._add("line-length", line, f"the line is {part.length:,} bytes long", got=f"{part.length:,} bytes")

    # --- the file as a whole -----------------------------------------------------------------------------------

    def _look_again(self, stream: BinaryIO, start: int) -> None:
        """Read the lines whose prompts may be repeated once more. The stream then stands where it stood."""
        wanted = None if self._rough_prompts is None else self._rough_prompts.may_repeat()
        self._rough_prompts = None
        if wanted is not None:
            end = stream.tell()
            stream.seek(start)
            self._prompts = read_again(stream, wanted)
            stream.seek(end)

    def _finish(self, lines: Lines) -> None:
        if lines.is_utf16:
            self._add(
                "encoding-utf16",
                None,
                "the file starts with the byte order mark of UTF-16 or UTF-32",
                got="UTF-16 or UTF-32",
            )
            return
        if lines.kind is not None:
            self._add("file-not-text", None, f"this is {lines.kind.name}", got=lines.kind.name, hint=lines.kind.way)
            return
        self._blank_lines.finish(self._last_line)
        self._look_for_one_document()
        if lines.has_bom:
            self._add("encoding-bom", 1, "the file starts with a byte order mark", got="EF BB BF")
        if self._carriage_returns:
            says = f"{self._carriage_returns:,} lines end in CR LF"
            self._add("line-endings", None, says, got=f"CR LF, {self._carriage_returns:,} times")
        if self.rows == 0 and not self._findings.has("file-one-document", self._file):
            self._add("file-empty", None, "the file has no row", got=f"{self._bytes:,} bytes")
        self._prompts.report(self._findings, self._file)
        self._report_ids()
        self._shapes.report(self._findings, self._file)
        self.statistics.fields = self._shapes.fields()
        kinds = {kind.split(" ")[0] for kind in self.statistics.answers}
        if len(kinds & {"object"}) and len(kinds) > 1:
            mixed = ", ".join(f"{kind} ({rows:,})" for kind, rows in self.statistics.answers.most_common())
            self._add("reference-mixed", None, f"the answers have several shapes: {mixed}", field=ANSWER, got=mixed)

    def _look_for_one_document(self) -> None:
        if self._document is None or not self._findings.has("json-syntax", self._file):
            return
        if read_line(bytes(self._document)).accepted:
            self._findings.withdraw(self._file)
            self.rows = 0
            self._add(
                "file-one-document", None, "the whole file is one JSON document", got=f"{self._last_line:,} lines"
            )

    def _report_ids(self) -> None:
        for place, first in sorted(self._ids.repeats()):
            again = f"line {first + 1} again"
            self._add("id-duplicate", place + 1, f"the id of {again}", field="id", got=again)


def _size(part: Scanned | bytes | Overlong) -> int:
    """Bytes of the file that a part holds in memory."""
    return 0 if isinstance(part, Overlong) else len(part.data if isinstance(part, Scanned) else part)


def _is_seekable(stream: BinaryIO) -> bool:
    """Whether the stream can be read again; one that has only `read(n)` cannot."""
    seekable: Callable[[], bool] | None = getattr(stream, "seekable", None)
    return seekable is not None and seekable()


def _grown(document: bytearray | None, data: bytes) -> bytearray | None:
    """The file so far with another block, or None once it is larger than MAX_DOCUMENT_BYTES."""
    if document is None or len(document) + len(data) > MAX_DOCUMENT_BYTES:
        return None
    document += data + b"\n"
    return document
