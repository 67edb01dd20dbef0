"""What a grader of one's own and its test import: `from tunedrop.graders.own import Grade, Sample`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunedrop.graders.kinds import Trust, make
from tunedrop.graders.own_file import OwnGrader, read_file
from tunedrop.graders.sample import JSON, Grade, Sample

__all__ = ["JSON", "Grade", "Sample", "grade_as", "try_out"]


def grade_as(kind: str, sample: Sample, options: Mapping[str, JSON] | None = None) -> Grade:
    """The grade that a kind gives which does nothing but answer: for a part of a mix. Raises OptionsError."""
    return make(kind, options or {}, Trust.OWN).grader.grade(sample)


def try_out(
    path: Path | str,
    answer: str,
    reference: JSON = None,
    *,
    options: Mapping[str, JSON] | None = None,
    row: Mapping[str, JSON] | None = None,
) -> Grade:
    """The grade that a file gives to one answer, in this process: for its test."""
    question = {"role": "user", "content": "?"}
    return OwnGrader(read_file(Path(path)), options or {}).grade(Sample("1", [question], answer, reference, row or {}))
