"""The bounds of a dataset: how many rows, how long a line, how deep a document."""

from __future__ import annotations

MIN_ROWS = 100
MAX_ROWS = 20_000
"""Rows of a training file: "100-20K examples" (open-weight), minimum 100 and maximum 20,000 prompts (Nova)."""
READ_ROWS = 10 * MAX_ROWS
"""Lines that are checked of a file that has too many rows anyway; those beyond are counted only. A limit of ours."""
GUIDANCE_MAX_ROWS = 10_000
"""AWS's best-practices post advises 100 to 10,000 rows."""
MAX_LINE_BYTES = 4 * 1024 * 1024
"""A limit of this checker: Lambda takes at most 6 MB an invocation, so a longer row could never reach a grader."""
MAX_DEPTH = 256
"""A limit of this checker (RFC 8259 section 9 allows one); Python graders give up at some 1,000 levels."""
